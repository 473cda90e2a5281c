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
        self.bye_with(now, &[reason_of(why)]);
    }

    pub(super) fn send_bye(&mut self, now: Moment) {
        self.bye_with(now, &[]);
    }

    fn bye_with(&mut self, now: Moment, extra: &[(HeaderName, String)]) {
        self.phase = Phase::Ending;
        self.timers.clear();
        self.bye = self.request(&Method::Bye, extra);
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

/// A Reason (RFC 3326) that says why a description can't be used.
pub(super) fn reason_of(why: Unacceptable) -> (HeaderName, String) {
    let text = why.to_string().replace('"', "'");
    let reason = HeaderName::parse(&Bytes::from_static(b"Reason"));
    (reason, format!("SIP;cause=488;text=\"{text}\""))
}
