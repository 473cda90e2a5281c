//! What a request must be before anything acts on it (RFC 3261 section 8.2).
//!
//! A Max-Forwards of 0 is not refused: only who forwards may answer 483 (section 16.3), and we are the
//! destination.

use sipx_sip::headers::{Contact, Require};
use sipx_sip::{Finding, Scheme, Via};

use super::replaces;
use super::respond::{ALLOW, Draft, SUPPORTED, is_served, respond};
use super::wire::{self, HeaderName, Method, ParseError, Request, Response, validate_request};

/// Why a request is refused, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The reason phrase, naming the field that is wrong.
    pub phrase: String,
    extra: Option<(HeaderName, String)>,
}

impl Refusal {
    fn bad(phrase: impl Into<String>) -> Self {
        Self { status: 400, phrase: phrase.into(), extra: None }
    }

    fn with(status: u16, phrase: &str, name: HeaderName, value: &str) -> Self {
        Self { status, phrase: phrase.to_owned(), extra: Some((name, value.to_owned())) }
    }

    /// The response.
    #[must_use]
    pub fn response(&self, request: &Request, tag: &str) -> Response {
        let draft = respond(request, self.status, Some(tag)).because(&self.phrase);
        match &self.extra {
            Some((name, value)) => draft.with(name.clone(), value.clone()),
            None => draft,
        }
        .build()
    }
}

/// Whether a response to this request could find its way: it has a Via. One that can't be read is answered
/// to where the request came from.
#[must_use]
pub fn is_answerable(request: &Request) -> bool {
    request.method != Method::Ack && request.headers.get(&HeaderName::Via).is_some()
}

/// Checks a request of any method, in a dialog or not.
///
/// # Errors
/// The refusal to answer with; nothing is answered to an ACK.
pub fn check(request: &Request, body_bytes_max: usize) -> Result<(), Refusal> {
    if let Some(finding) = validate_request(request).iter().find(|finding| !finding.is_repairable()) {
        return Err(of(finding));
    }
    if wire::from_tag(&request.headers).is_some_and(|tag| tag.is_empty()) {
        return Err(Refusal::bad("Empty From tag"));
    }
    // All its requests would be one transaction (RFC 4475 section 3.2.1).
    if matches!(request.headers.typed::<Via>(), Some(Ok(via)) if via.branch().is_some_and(is_empty_branch)) {
        return Err(Refusal::bad("Via branch has no identifier"));
    }
    if request.body().len() > body_bytes_max {
        return Err(Refusal { status: 513, phrase: "Message Too Large".to_owned(), extra: None });
    }
    check_method(request)?;
    replaces::check(request).map_err(|malformed| Refusal::bad(malformed.to_string()))?;
    if !matches!(request.uri.scheme(), Scheme::Sip | Scheme::Sips | Scheme::Tel) {
        return Err(Refusal { status: 416, phrase: "Unsupported URI Scheme".to_owned(), extra: None });
    }
    if !matches!(request.method, Method::Ack | Method::Cancel) {
        check_extensions(request)?;
    }
    if request.method == Method::Invite {
        check_invite(request)?;
    }
    Ok(())
}

/// The mark of RFC 3261 section 8.1.1.7 with nothing behind it, or nothing at all.
fn is_empty_branch(branch: &[u8]) -> bool {
    branch.is_empty() || branch.eq_ignore_ascii_case(b"z9hG4bK")
}

fn of(finding: &Finding) -> Refusal {
    match finding {
        Finding::UnsupportedVersion => {
            Refusal { status: 505, phrase: "Version Not Supported".to_owned(), extra: None }
        }
        Finding::MissingRequiredHeader(name) => Refusal::bad(format!("Missing {name}")),
        Finding::MalformedRequiredHeader(name) => Refusal::bad(format!("Malformed {name}")),
        Finding::RepeatedSingleValueHeader(name) => Refusal::bad(format!("Repeated {name}")),
        Finding::CSeqMethodMismatch => Refusal::bad("CSeq method does not match"),
        Finding::RequestUriHasHeaders => Refusal::bad("Request-URI has headers"),
        _ => Refusal::bad("Bad Request"),
    }
}

/// The refusal of a request that can't be read, naming what is wrong with it.
#[must_use]
pub fn refusal_of(error: &ParseError) -> Refusal {
    match error {
        ParseError::Limit { .. } => {
            Refusal { status: 513, phrase: format!("Message Too Large: {error}"), extra: None }
        }
        _ => Refusal::bad(format!("Bad Request: {error}")),
    }
}

fn check_method(request: &Request) -> Result<(), Refusal> {
    if is_served(&request.method) {
        return Ok(());
    }
    Err(match request.method {
        Method::Other(_) => Refusal::with(501, "Not Implemented", HeaderName::Allow, ALLOW),
        _ => Refusal::with(405, "Method Not Allowed", HeaderName::Allow, ALLOW),
    })
}

fn check_extensions(request: &Request) -> Result<(), Refusal> {
    let mut required: Vec<String> = Vec::new();
    for list in request.headers.typed_all::<Require>() {
        let Ok(list) = list else { return Err(Refusal::bad("Malformed Require")) };
        let tags = list.0.0.iter().map(|tag| String::from_utf8_lossy(tag).into_owned());
        required.extend(tags.filter(|tag| !is_supported(tag)));
    }
    if required.is_empty() {
        return Ok(());
    }
    Err(Refusal::with(420, "Bad Extension", HeaderName::Unsupported, &required.join(", ")))
}

fn is_supported(tag: &str) -> bool {
    SUPPORTED.split(", ").any(|supported| supported.eq_ignore_ascii_case(tag))
}

fn check_invite(request: &Request) -> Result<(), Refusal> {
    match request.headers.typed::<Contact>() {
        // A phone of RFC 2543, which had neither: it is called back by its From.
        None if wire::from_tag(&request.headers).is_none() => {}
        None => return Err(Refusal::bad("Missing Contact")),
        Some(Err(_)) => return Err(Refusal::bad("Malformed Contact")),
        Some(Ok(_)) => {}
    }
    let encoded = wire::text(&request.headers, &HeaderName::ContentEncoding);
    if encoded.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Refusal::with(
            415,
            "Unsupported Media Type",
            HeaderName::parse(&bytes::Bytes::from_static(b"Accept-Encoding")),
            "identity",
        ));
    }
    let readable =
        wire::body_is(&request.headers, "application", "sdp") || wire::boundary(&request.headers).is_some();
    if !request.body().is_empty() && !readable {
        return Err(Refusal::with(415, "Unsupported Media Type", HeaderName::Accept, super::respond::ACCEPT));
    }
    if !takes_sdp(request) {
        return Err(Refusal {
            status: 406,
            phrase: "Not Acceptable: Accept has no application/sdp".to_owned(),
            extra: None,
        });
    }
    Ok(())
}

/// Whether the sender can read our answer (RFC 3261 section 20.1): what it accepts includes SDP.
fn takes_sdp(request: &Request) -> bool {
    let mut named = request.headers.get_all(&HeaderName::Accept).peekable();
    if named.peek().is_none() {
        return true;
    }
    named.any(|accept| {
        let value = String::from_utf8_lossy(&accept.value()).to_ascii_lowercase();
        value.split(',').any(|range| {
            let range = range.split(';').next().unwrap_or_default();
            let range: String = range.split_whitespace().collect();
            matches!(range.as_str(), "application/sdp" | "application/*" | "*/*")
        })
    })
}

/// A refusal with a Warning (RFC 3261 section 20.43), such as a 488's.
#[must_use]
pub fn with_warning(request: &Request, status: u16, tag: &str, code: u16, text: &str) -> Draft {
    let text: String =
        text.chars().filter(|character| *character != '"' && !character.is_control()).collect();
    respond(request, status, Some(tag)).with(HeaderName::Warning, format!("{code} strowger \"{text}\""))
}

#[cfg(test)]
mod tests;
