//! What a request must be before anything acts on it (RFC 3261 section 8.2).
//!
//! A Max-Forwards of 0 is not refused: only who forwards may answer 483 (section 16.3), and we are the
//! destination.

use sipx_sip::Finding;
use sipx_sip::headers::{Contact, Require};

use super::respond::{ALLOW, Draft, is_served, respond};
use super::wire::{self, HeaderName, Method, Request, Response, validate_request};

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

/// Whether a response to this request could find its way: it has a Via that can be read.
#[must_use]
pub fn is_answerable(request: &Request) -> bool {
    request.method != Method::Ack
        && matches!(request.headers.typed::<sipx_sip::Via>(), Some(Ok(via)) if via.branch().is_none_or(|branch| !branch.is_empty()))
}

/// Checks a request of any method, in a dialog or not.
///
/// # Errors
/// The refusal to answer with; nothing is answered to an ACK.
pub fn check(request: &Request, body_bytes_max: usize) -> Result<(), Refusal> {
    if let Some(finding) = validate_request(request).iter().find(|finding| !finding.is_repairable()) {
        return Err(of(finding));
    }
    if wire::from_tag(&request.headers).is_none_or(|tag| tag.is_empty()) {
        return Err(Refusal::bad("Missing From tag"));
    }
    if request.body().len() > body_bytes_max {
        return Err(Refusal { status: 513, phrase: "Message Too Large".to_owned(), extra: None });
    }
    check_method(request)?;
    if !matches!(request.method, Method::Ack | Method::Cancel) {
        check_extensions(request)?;
    }
    if request.method == Method::Invite {
        check_invite(request)?;
    }
    Ok(())
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
        required.extend(list.0.0.iter().map(|tag| String::from_utf8_lossy(tag).into_owned()));
    }
    if required.is_empty() {
        return Ok(());
    }
    Err(Refusal::with(420, "Bad Extension", HeaderName::Unsupported, &required.join(", ")))
}

fn check_invite(request: &Request) -> Result<(), Refusal> {
    match request.headers.typed::<Contact>() {
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
    Ok(())
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
