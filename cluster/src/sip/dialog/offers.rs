//! Offers within the call: re-INVITE and UPDATE (RFC 3261 section 14, RFC 3311, RFC 6141).

use super::super::check::with_warning;
use super::super::respond::respond;
use super::super::sdp::{Unacceptable, sdp_of};
use super::super::wire::{HeaderName, Request, Response};
use super::incoming::contact;
use super::state::Phase;
use super::{Dialog, Moment, TransactionId};

/// After how many seconds a request that came too early may come again (RFC 3311 section 5.2: 0 to 10).
const RETRY_AFTER_S: &str = "2";

impl Dialog {
    pub(super) fn on_reinvite(&mut self, now: Moment, transaction: TransactionId, invite: &Request) {
        if self.phase != Phase::Up {
            return self.respond(transaction, self.too_early(invite));
        }
        // The 200 before this one has not been acknowledged; the far side may not have it yet. Or an offer of
        // ours is under way (section 14.2).
        if self.answered.is_some() || self.is_offering() {
            let response = respond(invite, 491, Some(&self.own.tag)).build();
            return self.respond(transaction, response);
        }
        if let Some(response) = self.too_brief_response(invite) {
            return self.respond(transaction, response);
        }
        let offer = sdp_of(&invite.headers, invite.body());
        let body = match &offer {
            None => Ok(self.negotiation.offer()),
            Some(offer) => self.negotiation.answer(offer),
        };
        match body {
            Ok(body) => {
                self.refresh_target(invite);
                if offer.is_some() {
                    self.tell_agreed();
                }
                self.accept_invite(now, transaction, invite, body, offer.is_none(), false);
            }
            Err(why) => self.respond(transaction, self.not_acceptable(invite, why)),
        }
    }

    pub(super) fn on_update(&mut self, now: Moment, transaction: TransactionId, update: &Request) {
        let offer = sdp_of(&update.headers, update.body());
        if offer.is_some() && self.is_offering() {
            let response = respond(update, 491, Some(&self.own.tag)).build();
            return self.respond(transaction, response);
        }
        if let Some(response) = self.too_brief_response(update) {
            return self.respond(transaction, response);
        }
        let may_offer = self.phase == Phase::Up && self.answered.is_none() || self.is_early();
        if offer.is_some() && !may_offer {
            return self.respond(transaction, self.too_early(update));
        }
        let body = match &offer {
            None => None,
            Some(offer) => match self.negotiation.answer(offer) {
                Ok(body) => Some(body),
                Err(why) => return self.respond(transaction, self.not_acceptable(update, why)),
            },
        };
        self.refresh_target(update);
        let mut draft = respond(update, 200, Some(&self.own.tag))
            .with(HeaderName::Contact, self.own.contact.clone())
            .with_capabilities();
        // A session begins with the 200 to the INVITE; before, there is none to refresh.
        if self.phase == Phase::Up {
            self.agree_on_session(now, update);
            draft = self.with_session(draft, update);
        }
        if let Some(body) = body {
            self.early.replaced |= self.phase == Phase::Ringing;
            self.tell_agreed();
            draft = draft.with_sdp(body);
        }
        self.respond(transaction, draft.build());
    }

    /// Whether an offer of ours is not answered.
    fn is_offering(&self) -> bool {
        self.is_refreshing() && self.refresh.as_ref().is_some_and(|refresh| refresh.by_invite)
    }

    fn too_brief_response(&self, request: &Request) -> Option<Response> {
        let least_s = Self::too_brief(self.own.timing.session_least_s, request)?;
        let draft = respond(request, 422, Some(&self.own.tag)).with(HeaderName::MinSe, least_s.to_string());
        Some(draft.build())
    }

    fn refresh_target(&mut self, request: &Request) {
        if let Some(target) = contact(&request.headers) {
            self.target = target;
        }
    }

    pub(super) fn not_acceptable(&self, request: &Request, why: Unacceptable) -> Response {
        with_warning(request, 488, &self.own.tag, why.warning(), &why.to_string()).build()
    }

    fn too_early(&self, request: &Request) -> Response {
        respond(request, 500, Some(&self.own.tag)).with(HeaderName::RetryAfter, RETRY_AFTER_S).build()
    }
}
