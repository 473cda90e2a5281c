//! Calls that we make without an offer (RFC 3261 section 13.2.1): whoever is called offers in the final answer, which our
//! ACK answers, or in a provisional one that we confirm, which our PRACK answers (RFC 3262 section 5).
//!
//! A provisional answer that nobody confirms offers nothing, for it can't be answered (RFC 6337 section 2.3): what it
//! describes is a preview, and nothing is agreed on by it. Each phone that such an INVITE rings at offers for itself, so
//! our side begins anew with each; that of the one that answers stays.

use serde::{Deserialize, Serialize};

use super::super::sdp::{Negotiation, Unacceptable, sdp_of};
use super::super::wire::{Response, to_tag};
use super::provisional::is_reliable;
use super::{Dialog, Offers};

/// What was offered by a phone and answered in a PRACK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Exchange {
    tag: Option<String>,
    offer: Vec<u8>,
    /// Our side of it.
    negotiation: Negotiation,
}

/// What our ACK or PRACK says about what it acknowledges.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) body: Option<Vec<u8>>,
    /// Why the call can't go on with it.
    pub(super) unusable: Option<Unacceptable>,
}

impl Reply {
    /// Nothing is said, and the call goes on where this is no error.
    pub(super) fn silent(outcome: Result<(), Unacceptable>) -> Self {
        Self { body: None, unusable: outcome.err() }
    }
}

impl Dialog {
    /// The description that our INVITE brings, if any.
    pub(super) fn first_offer(&mut self) -> Option<Vec<u8>> {
        match self.offers {
            Offers::Early => Some(self.negotiation.unchanged()),
            Offers::Delayed => None,
        }
    }

    /// What the PRACK of a provisional answer says. It is asked once for each that is new.
    pub(super) fn reply_to_provisional(&mut self, response: &Response) -> Reply {
        let waits = self.offers == Offers::Delayed && is_reliable(response);
        let Some(offer) = sdp_of(&response.headers, response.body()).filter(|_| waits) else {
            return Reply::default();
        };
        let tag = to_tag(&response.headers);
        let before = self.exchange_with(&tag);
        if before.is_some_and(|before| before.offer == offer) {
            // It is told again, for those who look there; an answer to it would be taken for an offer.
            return Reply::default();
        }
        let negotiation = before.map_or(&self.negotiation, |before| &before.negotiation).clone();
        let (reply, negotiation) = answered(negotiation, &offer);
        if let Some(negotiation) = negotiation {
            if let Some(agreed) = negotiation.agreed() {
                self.tell_agreement(agreed.clone());
            }
            self.early.exchanges.retain(|exchange| exchange.tag != tag);
            self.early.exchanges.push(Exchange { tag, offer, negotiation });
        }
        reply
    }

    /// What the ACK of the answer to our INVITE says, where we have left the offer to the far side.
    pub(super) fn reply_to_offer(&mut self, response: &Response) -> Reply {
        let said = sdp_of(&response.headers, response.body());
        let tag = to_tag(&response.headers);
        let at = self.early.exchanges.iter().position(|exchange| exchange.tag == tag);
        match (at.map(|at| self.early.exchanges.remove(at)), said) {
            (Some(Exchange { negotiation, offer, .. }), said) => {
                self.negotiation = negotiation;
                let other = said.filter(|said| *said != offer);
                Reply::silent(other.map_or(Ok(()), |other| self.negotiation.hear_again(&other)))
            }
            (None, Some(offer)) => {
                let (reply, negotiation) = answered(self.negotiation.clone(), &offer);
                if let Some(negotiation) = negotiation {
                    self.negotiation = negotiation;
                }
                reply
            }
            (None, None) => Reply::silent(Err(Unacceptable::NoOffer)),
        }
    }

    /// What the ACK of an answer says that nobody wants any more: an offer is answered all the same.
    pub(super) fn refusal_of(&self, response: &Response) -> Option<Vec<u8>> {
        let is_new = self.exchange_with(&to_tag(&response.headers)).is_none();
        let waits = self.offers == Offers::Delayed && is_new;
        let offer = sdp_of(&response.headers, response.body()).filter(|_| waits)?;
        self.negotiation.clone().refuse(&offer)
    }

    fn exchange_with(&self, tag: &Option<String>) -> Option<&Exchange> {
        self.early.exchanges.iter().find(|exchange| exchange.tag == *tag)
    }
}

/// Our answer to an offer and our side with it. One that can't be taken gets an answer, too, that takes nothing of it
/// (RFC 3261 section 13.2.2.4).
fn answered(mut negotiation: Negotiation, offer: &[u8]) -> (Reply, Option<Negotiation>) {
    match negotiation.answer(offer) {
        Ok(body) => (Reply { body: Some(body), unusable: None }, Some(negotiation)),
        Err(why) => (Reply { body: negotiation.refuse(offer), unusable: Some(why) }, None),
    }
}
