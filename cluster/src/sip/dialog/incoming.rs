//! A call that comes in: from its INVITE to our final answer.

use sipx_sip::headers::{From, RecordRoute};

use super::super::respond::respond;
use super::super::sdp::{Agreed, Negotiation, sdp_of};
pub(super) use super::super::wire::contact;
use super::super::wire::{self, HeaderName, Headers, Request};
use super::early::Early;
use super::state::{Effects, Pending, Phase, Reason};
use super::writing::{bytes_of, request_of};
use super::{Dialog, Ending, Error, Event, Moment, Offers, Own, TransactionId};

impl Dialog {
    /// Begins with a checked INVITE. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Offer`] where its offer can't be taken; [`Error::TooBrief`] where it wants to be refreshed too
    /// often; [`Error::Header`] where a header is unusable.
    pub fn incoming(
        own: Own,
        negotiation: Negotiation,
        now: Moment,
        transaction: TransactionId,
        invite: &Request,
    ) -> Result<Self, Error> {
        let headers = &invite.headers;
        let offer = sdp_of(headers, invite.body());
        if let Some(offer) = &offer {
            negotiation.takes(offer)?;
        }
        if let Some(least_s) = Self::too_brief(own.timing.session_least_s, invite) {
            return Err(Error::TooBrief { least_s });
        }
        let value = |name: HeaderName, label| {
            headers.value(&name).map(std::borrow::Cow::into_owned).ok_or(Error::Header(label))
        };
        let mut local = value(HeaderName::To, "To")?;
        local.extend_from_slice(format!(";tag={}", own.tag).as_bytes());
        let ringing_ms = own.timing.ringing_ms;
        let mut dialog = Self {
            own,
            phase: Phase::Ringing,
            call_id: value(HeaderName::CallId, "Call-ID")?,
            local,
            remote: value(HeaderName::From, "From")?,
            remote_tag: wire::from_tag(headers),
            target: contact(headers).or_else(|| caller(headers)).ok_or(Error::Header("Contact"))?,
            routes: record_route(headers),
            sequence: 0,
            remote_sequence: wire::sequence(headers),
            next_request: 0,
            negotiation,
            invite: Some(Pending { transaction, request: bytes_of(invite), offer }),
            answered: None,
            outgoing: None,
            transfer: None,
            transferred: false,
            bye: None,
            hang_up_later: false,
            parting: None,
            held: false,
            ended_told: false,
            unconfirmed: None,
            numbered: 0,
            confirmed: Vec::new(),
            session: None,
            refresh: None,
            takes_update: false,
            takes_replaces: false,
            early_tags: Vec::new(),
            early: Early::default(),
            offers: Offers::default(),
            replaces: None,
            referral: None,
            redirected: 0,
            timers: std::collections::BTreeMap::new(),
            effects: Effects::default(),
        };
        dialog.set(Reason::Ringing, now + ringing_ms);
        Ok(dialog)
    }

    pub(super) fn ring(&mut self, now: Moment) {
        let Some((transaction, invite)) = self.ringing() else {
            return self.ignore("ring: the call does not ring");
        };
        if self.early.answer.is_some() {
            return self.ignore("ring: the caller hears us already");
        }
        let offers = self.invite.as_ref().is_some_and(|pending| pending.offer.is_some());
        self.send_ringing(now, transaction, &invite, offers);
    }

    pub(super) fn answer(&mut self, now: Moment) {
        let Some((transaction, invite)) = self.ringing() else {
            return self.ignore("answer: the call does not ring");
        };
        if self.early.answer.is_some() && self.unconfirmed.is_some() {
            // No 200 before the description of a 183 is confirmed (RFC 3262 section 3).
            self.early.answer_waits = true;
            return;
        }
        let offer = self.invite.take().and_then(|pending| pending.offer);
        self.timers.remove(&Reason::Ringing);
        self.timers.remove(&Reason::Provisional);
        self.unconfirmed = None;
        let early = self.early.answer.take().map(|body| if self.early.replaced { Vec::new() } else { body });
        let body = match &offer {
            _ if early.is_some() => early.unwrap_or_default(),
            Some(offer) => match self.negotiation.answer(offer) {
                Ok(body) => body,
                Err(_) => {
                    let response = respond(&invite, 488, Some(&self.own.tag)).build();
                    self.respond(transaction, response);
                    return self.end_at_once(Ending::Refused(488));
                }
            },
            None => self.negotiation.offer(),
        };
        self.phase = Phase::Up;
        if offer.is_some() {
            self.tell_agreed();
        }
        self.accept_invite(now, transaction, &invite, body, offer.is_none(), true);
    }

    pub(super) fn refuse(&mut self, status: u16, retry_after_s: Option<u32>) {
        let Some((transaction, invite)) = self.ringing() else {
            return self.ignore("refuse: the call does not ring");
        };
        let mut draft = respond(&invite, status, Some(&self.own.tag));
        if let Some(seconds) = retry_after_s {
            draft = draft.with(HeaderName::RetryAfter, seconds.to_string());
        }
        self.respond(transaction, draft.build());
        self.end_at_once(Ending::Refused(status));
    }

    /// CANCEL, or BYE before the answer: the INVITE gets its 487, with the tag of the 180.
    pub(super) fn cancelled(&mut self) {
        let Some((transaction, invite)) = self.ringing() else {
            return self.ignore("cancel: the call does not ring");
        };
        let response = respond(&invite, 487, Some(&self.own.tag)).build();
        self.respond(transaction, response);
        self.end_at_once(Ending::Cancelled);
    }

    pub(super) fn ring_out(&mut self, now: Moment) {
        match self.phase {
            Phase::Ringing => self.refuse(480, None),
            Phase::Calling => {
                self.tell_ended(Ending::Timeout);
                self.cancel_outgoing(now);
            }
            _ => self.ignore("ringing: the call does not ring"),
        }
    }

    pub(super) fn ringing(&self) -> Option<(TransactionId, Request)> {
        if self.phase != Phase::Ringing {
            return None;
        }
        let pending = self.invite.as_ref()?;
        Some((pending.transaction, request_of(&pending.request)?))
    }

    pub(super) fn tell_agreed(&mut self) {
        if let Some(agreed) = self.negotiation.agreed().cloned() {
            self.tell_agreement(agreed);
        }
    }

    pub(super) fn tell_agreement(&mut self, agreed: Agreed) {
        let held = agreed.held;
        self.tell(Event::Agreed(agreed));
        if held != self.held {
            self.held = held;
            self.tell(Event::Held(held));
        }
    }
}

/// The URI of the From: where a phone that has no Contact (RFC 2543) is reached.
fn caller(headers: &Headers) -> Option<String> {
    let from = headers.typed::<From>()?.ok()?;
    let text = String::from_utf8_lossy(&from.uri.to_bytes()).into_owned();
    from.uri.host().map(|_| text)
}

/// The URIs of Record-Route, in order. Those that can't be read are left out.
pub(super) fn record_route(headers: &Headers) -> Vec<String> {
    headers
        .typed_all::<RecordRoute>()
        .filter_map(Result::ok)
        .take(ROUTES_MAX)
        .map(|route| String::from_utf8_lossy(&route.uri.to_bytes()).into_owned())
        .collect()
}

/// Proxies of one call that we keep.
const ROUTES_MAX: usize = 32;
