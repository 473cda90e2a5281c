//! The requests that a dialog writes (RFC 3261 section 12.2.1.1).

use bytes::Bytes;

use super::super::destination;
use super::super::respond::{ALLOW, SUPPORTED};
use super::super::wire::{Header, HeaderName, Message, Method, Request, Response, Uri, parse_own};
use super::{Dialog, Effect, RequestId};

/// What a session description is.
pub(super) const SDP: &str = "application/sdp";
/// What we call ourselves.
const USER_AGENT: &str = "Strowger";

impl Dialog {
    /// A request within the dialog and the URI of its next hop. `None` where the target is no URI, which
    /// [`super::incoming`] and [`super::calling`] have made sure of.
    pub(super) fn write(&mut self, method: &Method, sequence: u32) -> Option<(Request, String)> {
        let (uri, routes, next_hop) = self.way()?;
        self.next_request += 1;
        let branch = format!("z9hG4bK{}{}", self.own.tag, self.next_request);
        let mut request = Request::new(method.clone(), uri);
        add(&mut request, HeaderName::Via, format!("{};branch={branch};rport", self.own.via));
        add(&mut request, HeaderName::MaxForwards, "70");
        for route in routes {
            add(&mut request, HeaderName::Route, format!("<{route}>"));
        }
        add(&mut request, HeaderName::From, self.local.clone());
        add(&mut request, HeaderName::To, self.remote.clone());
        add(&mut request, HeaderName::CallId, self.call_id.clone());
        add(&mut request, HeaderName::CSeq, format!("{sequence} {method}"));
        add(&mut request, HeaderName::UserAgent, USER_AGENT);
        if matches!(method, Method::Invite | Method::Refer | Method::Update) {
            add(&mut request, HeaderName::Contact, self.own.contact.clone());
        }
        if matches!(method, Method::Invite | Method::Update) {
            add(&mut request, HeaderName::Allow, ALLOW);
            add(&mut request, HeaderName::Supported, SUPPORTED);
        }
        Some((request, next_hop))
    }

    /// Request URI, Route headers and next hop, by loose or strict routing.
    pub(super) fn way(&self) -> Option<(Uri, Vec<String>, String)> {
        let target = destination::uri(&self.target)?;
        let Some(first) = self.routes.first() else {
            return Some((target, Vec::new(), self.target.clone()));
        };
        let route = destination::uri(first)?;
        if route.params().is_some_and(|params| params.contains("lr")) {
            return Some((target, self.routes.clone(), first.clone()));
        }
        let mut routes: Vec<String> = self.routes.iter().skip(1).cloned().collect();
        routes.push(self.target.clone());
        Some((route, routes, first.clone()))
    }

    /// Sends a request in a transaction of its own.
    pub(super) fn send(
        &mut self,
        mut request: Request,
        next_hop: String,
        body: Option<(&str, Vec<u8>)>,
    ) -> RequestId {
        let id = RequestId(self.next_request);
        finish(&mut request, body);
        self.effects.0.push_back(Effect::Send { id, request, next_hop });
        id
    }

    /// Writes and sends a request with the next sequence number.
    pub(super) fn request(&mut self, method: &Method, extra: &[(HeaderName, String)]) -> Option<RequestId> {
        self.request_with(method, extra, None)
    }

    /// The same with a session description.
    pub(super) fn request_with(
        &mut self,
        method: &Method,
        extra: &[(HeaderName, String)],
        description: Option<Vec<u8>>,
    ) -> Option<RequestId> {
        self.sequence += 1;
        let (mut request, next_hop) = self.write(method, self.sequence)?;
        for (name, value) in extra {
            add(&mut request, name.clone(), value.clone());
        }
        Some(self.send(request, next_hop, description.map(|body| (SDP, body))))
    }
}

/// Adds a header; a value that would break the line is left out.
pub(super) fn add(request: &mut Request, name: HeaderName, value: impl Into<Bytes>) {
    if let Ok(header) = Header::build(name, value) {
        request.headers.push(header);
    }
}

/// Adds the body and its length.
pub(super) fn finish(request: &mut Request, body: Option<(&str, Vec<u8>)>) {
    let (kind, body) = body.map_or((None, Vec::new()), |(kind, body)| (Some(kind), body));
    if let Some(kind) = kind {
        add(request, HeaderName::ContentType, kind.to_owned());
    }
    add(request, HeaderName::ContentLength, body.len().to_string());
    request.set_body(Bytes::from(body));
}

/// A request that was kept as bytes.
pub(super) fn request_of(bytes: &[u8]) -> Option<Request> {
    match parse_own(bytes)? {
        Message::Request(request) => Some(request),
        Message::Response(_) => None,
    }
}

/// A response that was kept as bytes.
pub(super) fn response_of(bytes: &[u8]) -> Option<Response> {
    match parse_own(bytes)? {
        Message::Response(response) => Some(response),
        Message::Request(_) => None,
    }
}

/// A request as bytes.
pub(super) fn bytes_of(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    request.write_to(&mut bytes);
    bytes
}

/// A response as bytes.
pub(super) fn response_bytes(response: &Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    response.write_to(&mut bytes);
    bytes
}
