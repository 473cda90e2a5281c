//! Messages and transactions, from the `sipx-sip` package, and how their fields are read here.

pub use sipx_sip::error::ParseError;
pub use sipx_sip::transaction::{Dispatch, Timer};
pub use sipx_sip::{
    CSeq, Header, HeaderName, Headers, Host, Limits, Message, Method, Output, Reliability, Request, Response,
    StatusCode, StreamParser, Timers, TransactionKey, TransactionLayer, TuEvent, Uri, parse_datagram,
    validate_request,
};

use sipx_sip::headers::{Address, Contact, ContentType, From, To};

/// A header's first value, unfolded; bytes that are not UTF-8 are replaced.
#[must_use]
pub fn text(headers: &Headers, name: &HeaderName) -> Option<String> {
    headers.value(name).map(|value| String::from_utf8_lossy(&value).trim().to_owned())
}

/// The tag of the From header.
#[must_use]
pub fn from_tag(headers: &Headers) -> Option<String> {
    headers.typed::<From>()?.ok()?.tag().map(|tag| String::from_utf8_lossy(tag).into_owned())
}

/// The tag of the To header.
#[must_use]
pub fn to_tag(headers: &Headers) -> Option<String> {
    headers.typed::<To>()?.ok()?.tag().map(|tag| String::from_utf8_lossy(tag).into_owned())
}

/// The tag of the value of a To or From header.
#[must_use]
pub fn tag_of(value: &[u8]) -> Option<String> {
    let address = Address::parse(value, "To").ok()?;
    address.tag().map(|tag| String::from_utf8_lossy(tag).into_owned())
}

/// The URI of the Contact; `None` where it is none that a request can be sent to.
#[must_use]
pub fn contact(headers: &Headers) -> Option<String> {
    let contact = headers.typed::<Contact>()?.ok()?;
    let text = String::from_utf8_lossy(&contact.uri.to_bytes()).into_owned();
    contact.uri.host().map(|_| text)
}

/// The sequence number of the CSeq header.
#[must_use]
pub fn sequence(headers: &Headers) -> Option<u32> {
    Some(headers.typed::<CSeq>()?.ok()?.sequence)
}

/// The method of the CSeq header.
#[must_use]
pub fn sequence_method(headers: &Headers) -> Option<Method> {
    Some(headers.typed::<CSeq>()?.ok()?.method)
}

/// Whether the body is of this media type. A body without a Content-Type is taken to be one.
#[must_use]
pub fn body_is(headers: &Headers, media_type: &str, subtype: &str) -> bool {
    match headers.typed::<ContentType>() {
        None => true,
        Some(Ok(content_type)) => content_type.is(media_type, subtype),
        Some(Err(_)) => false,
    }
}

/// The boundary of a multipart body (RFC 5621), where it is one.
#[must_use]
pub fn boundary(headers: &Headers) -> Option<String> {
    let content_type = headers.typed::<ContentType>()?.ok()?;
    (content_type.media_type == b"multipart")
        .then(|| content_type.param("boundary").map(|value| String::from_utf8_lossy(value).into_owned()))?
}

/// A status code; a number outside SIP's 100 to 699 becomes the nearest.
#[must_use]
pub fn status_code(status: u16) -> StatusCode {
    match StatusCode::new(status.clamp(100, 699)) {
        Some(code) => code,
        None => unreachable!("100 to 699 are status codes"),
    }
}

/// Parses bytes that this crate itself wrote or accepted before.
#[must_use]
pub fn parse_own(bytes: &[u8]) -> Option<Message> {
    parse_datagram(bytes::Bytes::copy_from_slice(bytes), &Limits::stream()).ok()
}

/// The key of the INVITE transaction that a CANCEL means (RFC 3261 section 9.2).
#[must_use]
pub fn cancelled_key(cancel: &Request) -> Option<TransactionKey> {
    let mut key = TransactionKey::from_request(cancel)?;
    match &mut key {
        TransactionKey::Rfc3261 { method, .. } | TransactionKey::Legacy { method, .. } => {
            *method = b"INVITE".to_vec();
        }
    }
    Some(key)
}

/// The Call-ID of a message that is not parsed yet, to choose who parses it. `None` where none is seen.
#[must_use]
pub fn call_id_of(datagram: &[u8]) -> Option<&[u8]> {
    for line in datagram.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii();
        if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
            return value.get(1..).map(<[u8]>::trim_ascii);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_id_is_found_in_both_spellings_and_not_in_a_body() {
        assert_eq!(call_id_of(b"BYE sip:a SIP/2.0\r\ni : abc \r\n\r\n"), Some(&b"abc"[..]));
        assert_eq!(call_id_of(b"BYE sip:a SIP/2.0\r\nCALL-ID:x@y\r\n\r\n"), Some(&b"x@y"[..]));
        assert_eq!(call_id_of(b"BYE sip:a SIP/2.0\r\n\r\nCall-ID: body\r\n"), None);
        assert_eq!(call_id_of(b""), None);
    }
}
