//! The REGISTER (RFC 3261 section 10.2).

use super::super::destination;
use super::super::dialog::RequestId;
use super::super::respond::ALLOW;
use super::super::wire::{Header, HeaderName, Method, Request};
use super::{Effect, Place, Registration};

impl Registration {
    /// Sends a REGISTER for so many seconds; 0 removes the binding.
    pub(super) fn send(&mut self, place: &Place, expires_s: u32) -> Option<RequestId> {
        let uri = destination::uri(&self.settings.registrar)?;
        self.sequence += 1;
        self.next += 1;
        let id = RequestId(self.next);
        let branch = format!("z9hG4bK{}{}", self.own.tag, self.next);
        let identity = &self.settings.identity;
        let mut request = Request::new(Method::Register, uri);
        let mut add = |name: HeaderName, value: String| {
            // A setting with a line break in it is left out here, and the provider says what is missing.
            if let Ok(header) = Header::build(name, value) {
                request.headers.push(header);
            }
        };
        add(HeaderName::Via, format!("{};branch={branch};rport", place.via));
        add(HeaderName::MaxForwards, "70".to_owned());
        add(HeaderName::From, format!("<{identity}>;tag={}", self.own.tag));
        add(HeaderName::To, format!("<{identity}>"));
        add(HeaderName::CallId, self.own.call_id.clone());
        add(HeaderName::CSeq, format!("{} REGISTER", self.sequence));
        add(HeaderName::Contact, format!("<{}>;expires={expires_s}", self.contact(place)));
        add(HeaderName::Expires, expires_s.to_string());
        // Proxies on the way may stay in it (RFC 3327).
        add(HeaderName::Supported, "path".to_owned());
        add(HeaderName::Allow, ALLOW.to_owned());
        add(HeaderName::UserAgent, "Strowger".to_owned());
        let cnonce = self.draws.draw();
        for (name, value) in self.prover.headers(&Method::Register, &self.settings.registrar, cnonce) {
            add(name, value);
        }
        add(HeaderName::ContentLength, "0".to_owned());
        let request = Box::new(request);
        self.effects.push_back(Effect::Send { id, request, target: place.target.clone() });
        Some(id)
    }

    /// The URI of our Contact at this server.
    pub(super) fn contact(&self, place: &Place) -> String {
        format!("sip:{}@{}", self.settings.contact_user, place.contact)
    }
}
