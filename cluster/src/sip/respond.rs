//! Responses: what every one of them carries, and what we say that we can do.

use bytes::Bytes;

use super::wire::{Header, HeaderName, Method, Request, Response, status_code, tag_of};

/// The methods that are answered (RFC 3261 section 20.5).
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, PRACK, REFER";

/// The extensions that we have (RFC 3261 section 20.37): session timers (RFC 4028), provisional answers that are
/// acknowledged (RFC 3262), and calls in the place of others (RFC 3891).
pub const SUPPORTED: &str = "timer, 100rel, replaces";

/// The bodies that an INVITE or OPTIONS may carry (RFC 3261 section 20.1).
pub const ACCEPT: &str = "application/sdp";

/// The bodies that an INFO may carry.
pub const ACCEPT_INFO: &str = "application/dtmf-relay, application/dtmf";

/// A response being written.
#[derive(Debug)]
pub struct Draft(Response);

/// Begins a response to `request`, with the headers of RFC 3261 section 8.2.6.2: those that the request has,
/// so that a request without a To still gets its 400. `tag` is added to a To that has none.
#[must_use]
pub fn respond(request: &Request, status: u16, tag: Option<&str>) -> Draft {
    let mut response = Response::new(status_code(status), Bytes::from_static(phrase(status).as_bytes()));
    for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
        for header in request.headers.get_all(&name) {
            let tagged = (name == HeaderName::To && status > 100)
                .then(|| tag.and_then(|tag| with_tag(header, tag)))
                .flatten();
            response.headers.push(tagged.unwrap_or_else(|| header.clone()));
        }
    }
    Draft(response)
}

fn with_tag(to: &Header, tag: &str) -> Option<Header> {
    let value = to.value();
    if tag_of(&value).is_some() {
        return None;
    }
    let mut value = value.into_owned();
    value.extend_from_slice(b";tag=");
    value.extend_from_slice(tag.as_bytes());
    Header::build(HeaderName::To, value).ok()
}

impl Draft {
    /// Replaces the reason phrase.
    #[must_use]
    pub fn because(mut self, phrase: &str) -> Self {
        let phrase: String = phrase.chars().filter(|character| !character.is_control()).collect();
        self.0.reason = Bytes::from(phrase);
        self
    }

    /// Adds a header. A value that would break the line is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        if let Ok(header) = Header::build(name, value) {
            self.0.headers.push(header);
        }
        self
    }

    /// Copies the request's Record-Route into the response (RFC 3261 section 12.1.1).
    #[must_use]
    pub fn with_record_route(mut self, request: &Request) -> Self {
        for header in request.headers.get_all(&HeaderName::RecordRoute) {
            self.0.headers.push(header.clone());
        }
        self
    }

    /// Says what we can do: Allow, Accept and Supported.
    #[must_use]
    pub fn with_capabilities(self) -> Self {
        self.with(HeaderName::Allow, ALLOW)
            .with(HeaderName::Accept, ACCEPT)
            .with(HeaderName::Supported, SUPPORTED)
    }

    /// Adds an SDP body.
    #[must_use]
    pub fn with_sdp(mut self, body: Vec<u8>) -> Self {
        self = self.with(HeaderName::ContentType, "application/sdp");
        self = self.with(HeaderName::ContentLength, body.len().to_string());
        self.0.set_body(Bytes::from(body));
        self
    }

    /// The finished response.
    #[must_use]
    pub fn build(mut self) -> Response {
        if self.0.headers.get(&HeaderName::ContentLength).is_none() {
            self = self.with(HeaderName::ContentLength, "0");
        }
        self.0
    }
}

/// The 405 that says what is allowed.
#[must_use]
pub fn method_not_allowed(request: &Request, tag: &str) -> Response {
    respond(request, 405, Some(tag)).with(HeaderName::Allow, ALLOW).build()
}

/// The 200 to an OPTIONS.
#[must_use]
pub fn capabilities(request: &Request, tag: &str) -> Response {
    respond(request, 200, Some(tag)).with_capabilities().build()
}

/// Whether this method starts or belongs to something that we serve.
#[must_use]
pub fn is_served(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite
            | Method::Ack
            | Method::Cancel
            | Method::Bye
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Notify
            | Method::Prack
            | Method::Refer
    )
}

/// The usual reason phrase of a status.
#[must_use]
pub const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        433 => "Anonymity Disallowed",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        603 => "Decline",
        607 => "Unwanted",
        _ => "Unspecified",
    }
}
