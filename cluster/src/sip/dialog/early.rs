//! Audio before our answer: a 183 that brings the answer to the far side's offer (RFC 3960 section 3, as gateways do it).
//!
//! Where the far side can confirm it, it is asked to (RFC 3262), and then the 183's answer is the answer: the 200 says it
//! again for those who look there, and waits for the confirmation. Where not, the 200's counts, which is the same.

use serde::{Deserialize, Serialize};

use super::super::respond::respond;
use super::super::sdp::sdp_of;
use super::super::wire::{HeaderName, Request};
use super::delayed::Exchange;
use super::state::Phase;
use super::{Dialog, Moment, TransactionId};

/// What was said of audio before the final answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Early {
    /// The answer that our 183 brought.
    pub(super) answer: Option<Vec<u8>>,
    /// The far side has confirmed it.
    confirmed: bool,
    /// Another offer was answered since then: the 200 says nothing of it.
    pub(super) replaced: bool,
    /// The 183 is sent when what went before it is confirmed.
    wanted: bool,
    /// The 200 is sent when the 183 is confirmed.
    pub(super) answer_waits: bool,
    /// The tag of who has answered our offer in a provisional answer that we confirmed.
    pub(super) answered_by: Option<String>,
    /// What phones have offered in provisional answers that we confirmed, where our INVITE offered nothing.
    pub(super) exchanges: Vec<Exchange>,
}

impl Dialog {
    /// Lets the caller hear us before the call is answered. An INVITE without an offer is left to ring: a 183 would
    /// have to bring ours, and nothing could be heard before its PRACK.
    pub(super) fn progress(&mut self, now: Moment) {
        let Some((transaction, invite)) = self.ringing() else {
            return self.ignore("progress: the call does not ring");
        };
        if self.early.answer.is_some() {
            return self.ignore("progress: the caller hears us already");
        }
        if self.unconfirmed.is_some() {
            self.early.wanted = true;
            return;
        }
        let offer = self.invite.as_ref().and_then(|pending| pending.offer.clone());
        let Some(Ok(body)) = offer.map(|offer| self.negotiation.answer(&offer)) else {
            return self.ignore("progress: there is no offer that can be answered");
        };
        self.early.answer = Some(body.clone());
        self.tell_agreed();
        let draft = respond(&invite, 183, Some(&self.own.tag))
            .with_record_route(&invite)
            .with(HeaderName::Contact, self.own.contact.clone())
            .with_capabilities()
            .with_sdp(body);
        self.send_provisional(now, transaction, &invite, draft);
    }

    /// The far side has confirmed a provisional answer.
    pub(super) fn note_confirmation(&mut self) {
        self.early.confirmed |= self.early.answer.is_some();
    }

    /// What waited for a confirmation is done.
    pub(super) fn after_confirmation(&mut self, now: Moment) {
        if std::mem::take(&mut self.early.wanted) {
            self.progress(now);
        }
        if std::mem::take(&mut self.early.answer_waits) {
            self.answer(now);
        }
    }

    /// Whether the far side may offer anew before our final answer: it has confirmed the one to its first offer.
    pub(super) fn is_early(&self) -> bool {
        self.phase == Phase::Ringing && self.early.confirmed
    }

    /// An offer in the PRACK of our 183 (RFC 3262 section 5).
    pub(super) fn answer_in_prack(&mut self, transaction: TransactionId, prack: &Request, offer: &[u8]) {
        match self.negotiation.answer(offer) {
            Ok(body) => {
                self.early.replaced = true;
                self.tell_agreed();
                let response = respond(prack, 200, Some(&self.own.tag)).with_sdp(body).build();
                self.respond(transaction, response);
            }
            Err(why) => self.respond(transaction, self.not_acceptable(prack, why)),
        }
    }

    /// The offer of a PRACK that may bring one.
    pub(super) fn early_offer(&self, prack: &Request) -> Option<Vec<u8>> {
        sdp_of(&prack.headers, prack.body()).filter(|_| self.is_early())
    }
}
