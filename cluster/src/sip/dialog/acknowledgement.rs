//! Our 200 to an INVITE and the wait for its ACK (RFC 3261 section 13.3.1.4).

use super::super::respond::respond;
use super::super::sdp::{Unacceptable, sdp_of};
use super::super::wire::{self, HeaderName, Request};
use super::state::{Phase, Reason, Unacknowledged};
use super::writing::{response_bytes, response_of};
use super::{Dialog, Effect, Ending, Event, Moment, TransactionId};

impl Dialog {
    /// Sends the 200 and begins to wait.
    pub(super) fn accept_invite(
        &mut self,
        now: Moment,
        transaction: TransactionId,
        invite: &Request,
        body: Vec<u8>,
        carries_offer: bool,
        initial: bool,
    ) {
        self.agree_on_session(now, invite);
        let draft = respond(invite, 200, Some(&self.own.tag))
            .with_record_route(invite)
            .with(HeaderName::Contact, self.own.contact.clone())
            .with_capabilities();
        let draft = self.with_session(draft, invite);
        // Nothing is said where all was said before.
        let response = if body.is_empty() { draft } else { draft.with_sdp(body) }.build();
        let timing = self.own.timing;
        self.answered = Some(Unacknowledged {
            transaction,
            sequence: wire::sequence(&invite.headers).unwrap_or_default(),
            response: response_bytes(&response),
            interval_ms: timing.t1_ms,
            carries_offer,
            initial,
        });
        self.set(Reason::Retransmission, now + timing.t1_ms);
        self.set(Reason::Acknowledgement, now + 64 * timing.t1_ms);
        self.respond(transaction, response);
    }

    pub(super) fn retransmit(&mut self, now: Moment) {
        let t2_ms = self.own.timing.t2_ms;
        let Some(answered) = &mut self.answered else { return };
        answered.interval_ms = (answered.interval_ms * 2).min(t2_ms);
        let at = now + answered.interval_ms;
        let transaction = answered.transaction;
        if let Some(response) = response_of(&answered.response) {
            self.effects.0.push_back(Effect::Retransmit { transaction, response });
        }
        self.set(Reason::Retransmission, at);
    }

    pub(super) fn acknowledged(&mut self, now: Moment, ack: &Request) {
        let sequence = wire::sequence(&ack.headers);
        let Some(answered) = self.answered.take_if(|answered| sequence == Some(answered.sequence)) else {
            return;
        };
        self.timers.remove(&Reason::Retransmission);
        self.timers.remove(&Reason::Acknowledgement);
        if self.phase == Phase::Ending {
            if std::mem::take(&mut self.hang_up_later) {
                self.send_bye(now);
            }
            return;
        }
        if answered.carries_offer {
            let accepted = sdp_of(&ack.headers, ack.body())
                .map_or(Err(Unacceptable::NoAudio), |answer| self.negotiation.accept(&answer));
            if let Err(why) = accepted {
                return self.hang_up_over(now, why);
            }
            self.tell_agreed();
        }
        if answered.initial {
            self.tell(Event::Established);
        }
    }

    /// No ACK came: the far side does not know that the call is up, or is gone.
    pub(super) fn give_up_acknowledgement(&mut self, now: Moment) {
        if self.answered.take().is_none() {
            return;
        }
        self.timers.remove(&Reason::Retransmission);
        self.hang_up_later = false;
        self.tell_ended(Ending::Timeout);
        self.send_bye(now);
    }
}
