//! Hanging up, from either side (RFC 3261 section 15).

use bytes::Bytes;

use super::super::sdp::Unacceptable;
use super::super::wire::{HeaderName, Method};
use super::state::{Phase, Reason};
use super::{Dialog, Effect, Ending, Event, Moment};

impl Dialog {
    /// The owner ends the call, whatever state it is in.
    pub(super) fn hang_up(&mut self, now: Moment) {
        match self.phase {
            Phase::Ringing => self.refuse(480, None),
            Phase::Calling => {
                self.tell_ended(Ending::Local);
                self.cancel_outgoing(now);
            }
            Phase::Up => self.hang_up_because(now, Ending::Local),
            Phase::Ending | Phase::Ended => self.ignore("hang up: the call is over"),
        }
    }

    /// Ends a call that is up. The BYE waits for the ACK: a callee must not send it before (section 15).
    pub(super) fn hang_up_because(&mut self, now: Moment, ending: Ending) {
        self.tell_ended(ending);
        self.phase = Phase::Ending;
        if self.answered.as_ref().is_some_and(|answered| answered.initial) {
            self.hang_up_later = true;
        } else {
            self.answered = None;
            self.send_bye(now);
        }
    }

    /// Ends a call whose far side has answered our offer with what can't be used; the BYE says why (RFC 3326).
    pub(super) fn hang_up_over(&mut self, now: Moment, why: Unacceptable) {
        self.tell_ended(Ending::Refused(488));
        self.effects.0.push_back(Effect::Unusable { why });
        self.answered = None;
        self.parting = Some(reason_of(why));
        self.send_bye(now);
    }

    pub(super) fn send_bye(&mut self, now: Moment) {
        self.phase = Phase::Ending;
        self.timers.clear();
        let why = self.parting.take().map(|reason| (reason_header(), reason));
        self.bye = self.request(&Method::Bye, why.as_slice());
        if self.bye.is_none() {
            self.phase = Phase::Ended;
        }
        // The transaction reports its own end; this is for an owner that lost it.
        self.set(Reason::Forgotten, now + 65 * self.own.timing.t1_ms);
    }

    /// The call is over and nothing is waited for.
    pub(super) fn end_at_once(&mut self, ending: Ending) {
        self.tell_ended(ending);
        self.phase = Phase::Ended;
        self.timers.clear();
        self.invite = None;
        self.answered = None;
    }

    pub(super) fn tell_ended(&mut self, ending: Ending) {
        if !self.ended_told {
            self.ended_told = true;
            self.tell(Event::Ended(ending));
        }
    }
}

/// The header that says why (RFC 3326).
pub(super) fn reason_header() -> HeaderName {
    HeaderName::parse(&Bytes::from_static(b"Reason"))
}

/// Its value where a description can't be used.
pub(super) fn reason_of(why: Unacceptable) -> String {
    reason(488, &why.to_string())
}

/// Its value by a status, and by words.
pub(super) fn reason(status: u16, text: &str) -> String {
    format!("SIP;cause={status};text=\"{}\"", text.replace(['"', '\\'], "'"))
}
