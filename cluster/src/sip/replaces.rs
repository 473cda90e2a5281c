//! The dialog that a call is to take the place of: the Replaces header (RFC 3891), also inside a URI that somebody is
//! referred to (RFC 5589).

use sipx_sip::headers::Address;

use super::wire::{self, HeaderName, Method, Request};

/// The dialog that is replaced, as its other side names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: String,
    /// The tag of whoever reads this.
    pub to_tag: String,
    /// The tag of the other side.
    pub from_tag: String,
    /// Only while nobody has answered.
    pub early_only: bool,
}

/// A Replaces header that can't be used (RFC 3891 section 3): 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Malformed Replaces")]
pub struct Malformed;

/// The name of the header that asks to join a call (RFC 3911), which can't stand beside Replaces.
const JOIN: &[u8] = b"Join";
/// The tag that stands for none (RFC 3891 section 3).
const NO_TAG: &str = "0";

impl Replaces {
    /// What a request wants to replace; none where it wants to replace nothing.
    ///
    /// # Errors
    /// Where there are several, it is no INVITE, or the header can't be read.
    pub fn of(request: &Request) -> Result<Option<Self>, Malformed> {
        let mut all = request.headers.get_all(&HeaderName::Replaces);
        let Some(first) = all.next() else { return Ok(None) };
        let joins = request.headers.iter().any(|header| header.name().canonical().eq_ignore_ascii_case(JOIN));
        if all.next().is_some() || joins || request.method != Method::Invite {
            return Err(Malformed);
        }
        Self::parse(&String::from_utf8_lossy(&first.value())).map(Some).ok_or(Malformed)
    }

    /// Reads a header's value.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let call_id = parts.next().filter(|call_id| !call_id.is_empty())?.to_owned();
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            let (name, value) = part.split_once('=').map_or((part, ""), |(name, value)| (name, value));
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "to-tag" => &mut to_tag,
                "from-tag" => &mut from_tag,
                "early-only" => {
                    early_only = true;
                    continue;
                }
                _ => continue,
            };
            let value = value.trim();
            if value.is_empty() || slot.replace(value.to_owned()).is_some() {
                return None;
            }
        }
        Some(Self { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
    }

    /// The header's value.
    #[must_use]
    pub fn value(&self) -> String {
        let Self { call_id, to_tag, from_tag, early_only } = self;
        let early_only = if *early_only { ";early-only" } else { "" };
        format!("{call_id};to-tag={to_tag};from-tag={from_tag}{early_only}")
    }

    /// `uri` with this in it, so that whoever calls it asks for the replacement. `None` where it has headers already.
    #[must_use]
    pub fn in_uri(&self, uri: &str) -> Option<String> {
        (!uri.contains('?')).then(|| format!("{uri}?Replaces={}", escaped(&self.value())))
    }

    /// Whether a tag of a dialog is this one; one that has none is named by a zero.
    #[must_use]
    pub fn is_tag(named: &str, tag: Option<&str>) -> bool {
        tag.map_or(named == NO_TAG, |tag| tag == named)
    }
}

/// Whom a REFER is for (RFC 3515).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// The URI that is to be called.
    pub target: String,
    /// The value of the Replaces header that the call is to have.
    pub replaces: Option<String>,
}

impl Referred {
    /// Reads the Refer-To of a request. `None` where there is not exactly one, or it is for no call to a SIP URI.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let mut all = request.headers.get_all(&HeaderName::ReferTo);
        let first = all.next()?;
        if all.next().is_some() {
            return None;
        }
        let mut uri = Address::parse(&first.value(), "Refer-To").ok()?.uri;
        uri.host().filter(|_| uri.scheme().is_sip())?;
        let method = uri.params().and_then(|params| params.value("method"));
        if method.is_some_and(|method| !method.eq_ignore_ascii_case(b"INVITE")) {
            return None;
        }
        let replaces = match uri.headers().and_then(|headers| headers.value("Replaces")) {
            None => None,
            Some(value) => Some(Replaces::parse(&unescaped(value)?)?.value()),
        };
        uri.remove_param("method");
        // What else the call is to say is not for others to choose.
        let text = String::from_utf8_lossy(&uri.to_bytes()).into_owned();
        let target = text.split('?').next().unwrap_or_default().to_owned();
        super::destination::uri(&target)?;
        Some(Self { target, replaces })
    }
}

/// The URI of the value of a From or To header.
#[must_use]
pub fn uri_of(value: &[u8]) -> Option<String> {
    let address = Address::parse(value, "From").ok()?;
    Some(String::from_utf8_lossy(&address.uri.to_bytes()).into_owned())
}

/// Writes what a header's value in a URI can't hold as it is (RFC 3261 section 25.1, `hvalue`).
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*()[]/:+$".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn unescaped(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = [*rest.next()?, *rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    // A line's end inside would be another header.
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// Whether a request can be used as far as this goes.
pub(super) fn check(request: &Request) -> Result<(), Malformed> {
    Replaces::of(request).map(|_| ())
}

/// Whether the far side understands Replaces, by the Supported or Require of what it sent.
pub(super) fn is_understood(headers: &wire::Headers) -> bool {
    [HeaderName::Supported, HeaderName::Require].iter().any(|name| {
        headers.get_all(name).any(|header| {
            let value = header.value();
            value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(TAG.as_bytes()))
        })
    })
}

/// The option tag (RFC 3891 section 8).
pub(super) const TAG: &str = "replaces";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::wire::{Message, parse_own};

    #[test]
    fn the_header_is_read_and_written_in_every_order() {
        for (value, early_only) in [
            ("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff", false),
            ("98732@sip.example.com ;to-tag=ff87ff ;from-tag=r33th4x0r;early-only", true),
            ("98732@sip.example.com;TO-TAG=ff87ff;x=y;FROM-TAG=r33th4x0r", false),
        ] {
            let replaces = Replaces::parse(value).expect(value);
            assert_eq!(replaces.call_id, "98732@sip.example.com");
            let tags = (replaces.to_tag.as_str(), replaces.from_tag.as_str(), replaces.early_only);
            assert_eq!(tags, ("ff87ff", "r33th4x0r", early_only), "{value}");
            assert_eq!(Replaces::parse(&replaces.value()), Some(replaces));
        }
        for wrong in [
            "",
            ";to-tag=a;from-tag=b",
            "c;to-tag=a",
            "c;to-tag=a;to-tag=b;from-tag=d",
            "c;to-tag=;from-tag=b",
        ] {
            assert_eq!(Replaces::parse(wrong), None, "{wrong}");
        }
    }

    fn refer(refer_to: &str) -> Request {
        let message = format!("REFER sip:a@b SIP/2.0\r\n{refer_to}\r\n\r\n");
        match parse_own(message.as_bytes()) {
            Some(Message::Request(request)) => request,
            _ => panic!("no request"),
        }
    }

    #[test]
    fn a_dialog_travels_in_a_uri_and_is_the_same_behind_it() {
        let replaces = Replaces {
            call_id: "a%84b@[::1];x".into(),
            to_tag: "1".into(),
            from_tag: "2".into(),
            early_only: false,
        };
        let uri = replaces.in_uri("sip:desk@192.0.2.7:5070;transport=tcp").expect("a URI");
        let read = Referred::of(&refer(&format!("Refer-To: <{uri}>"))).expect(&uri);
        assert_eq!(read.target, "sip:desk@192.0.2.7:5070;transport=tcp");
        // A Call-ID has no semicolon; what came after one is a parameter that nobody knows.
        let expected = Replaces { call_id: "a%84b@[::1]".into(), ..replaces.clone() };
        assert_eq!(read.replaces, Some(expected.value()));
        assert_eq!(replaces.in_uri("sip:desk@192.0.2.7?Subject=x"), None);
    }

    #[test]
    fn only_a_call_to_somebody_can_be_asked_for() {
        let plain = Referred::of(&refer("Refer-To: sip:2000@192.0.2.7")).expect("a number");
        assert_eq!((plain.target.as_str(), plain.replaces), ("sip:2000@192.0.2.7", None));
        let named = Referred::of(&refer("r: \"Ann\" <sip:ann@192.0.2.7;method=INVITE?Subject=hello>"))
            .expect("a name");
        assert_eq!(named.target, "sip:ann@192.0.2.7", "no header of theirs");
        for wrong in [
            "Subject: none",
            "Refer-To: <http://192.0.2.7/>",
            "Refer-To: <sip:a@b;method=BYE>",
            "Refer-To: <sip:a@b?Replaces=x>",
            "Refer-To: <sip:a@b?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2%0D%0AX:%20y>",
            "Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>",
        ] {
            assert_eq!(Referred::of(&refer(wrong)), None, "{wrong}");
        }
    }
}
