//! Transferring: the far side is asked to call somebody else, and the caller hears that it goes on.

use serde::{Deserialize, Serialize};

use super::mouth::LineKind;
use super::phase::{Answer, Phase};
use super::timers::TimerReason;
use super::{Conversation, Effect, IgnoredWhy, ending, phrases};
use crate::call::brain::Question;
use crate::types::{CallEventKind, CallTime, Destination, EndReason};

/// The status that stands for no answer in time (RFC 3261 section 21.4.9).
pub(super) const NO_ANSWER: u16 = 408;

/// A transfer under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transferring {
    name: String,
    /// The last status that was reported.
    status: u16,
}

impl Transferring {
    /// Whether the other side was reached, as far as is known.
    pub(super) const fn is_answering(&self) -> bool {
        self.status >= 180
    }
}

/// Everything was said: asks for the transfer, once the caller has heard of it.
pub(super) fn start(call: &mut Conversation, now: CallTime, answer: &Answer, name: &str, to: &Destination) {
    if answer.texts == 0 {
        call.phase = Phase::Speaking(Answer { texts: 1, ..answer.clone() });
        return call.say(phrases::TRANSFERRING, LineKind::Own);
    }
    call.phase = Phase::Transferring(Transferring { name: name.to_owned(), status: 0 });
    call.record(CallEventKind::Transfer { to: name.to_owned(), status: 0 });
    call.effects.push_back(Effect::Transfer { to: to.clone() });
    call.checkpoint_due = true;
    call.timers.set(TimerReason::TransferLate, now + call.start.settings.transfer_ms_max);
    call.timers.set(TimerReason::TransferReminder, now + call.start.settings.transfer_reminder_ms);
}

/// News of the transfer.
pub(super) fn on_progress(call: &mut Conversation, now: CallTime, status: u16) {
    let Phase::Transferring(transfer) = &mut call.phase else {
        return call.ignore(IgnoredWhy::OutOfPlace);
    };
    if status < 200 {
        transfer.status = transfer.status.max(status);
        return;
    }
    let to = transfer.name.clone();
    call.timers.cancel(TimerReason::TransferLate);
    call.timers.cancel(TimerReason::TransferReminder);
    call.record(CallEventKind::Transfer { to, status });
    if status < 300 {
        ending::without_a_word(call, now, EndReason::Transferred);
    } else {
        call.ask(now, Question::TransferFailed { status });
    }
}

/// The transfer takes a while.
pub(super) fn remind(call: &mut Conversation, now: CallTime) {
    if let Phase::Transferring(_) = call.phase {
        if !call.mouth.is_busy() && !call.held {
            call.say(phrases::STILL_TRANSFERRING, LineKind::Filler);
        }
        call.timers.set(TimerReason::TransferReminder, now + call.start.settings.transfer_reminder_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::super::rig::Rig;
    use super::*;
    use crate::call::brain::Thought;

    fn transferring() -> Rig {
        let mut rig = Rig::thinking("sales please");
        rig.answer(Thought::Say { text: "I'll put you through.".into() });
        let to = Destination::Uri("sip:sales@example.com".into());
        rig.answer(Thought::Transfer { name: "sales".into(), to: to.clone() });
        assert!(!rig.drain().contains(&Effect::Transfer { to: to.clone() }));
        rig.speak_all();
        assert!(rig.drain().contains(&Effect::Transfer { to }));
        rig
    }

    #[test]
    fn a_transfer_that_is_answered_ends_the_call() {
        let mut rig = transferring();
        rig.input(Input::TransferProgress(180));
        rig.input(Input::TransferProgress(200));
        assert_eq!(rig.ended(), Some(EndReason::Transferred));
    }

    #[test]
    fn a_transfer_that_fails_goes_back_to_the_brain() {
        let mut rig = transferring();
        rig.input(Input::TransferProgress(486));
        let asked = Effect::Think { question: 2, asked: Question::TransferFailed { status: 486 } };
        assert!(rig.drain().contains(&asked));
    }

    #[test]
    fn a_transfer_without_news_fails_in_time_and_is_spoken_about_meanwhile() {
        let mut rig = transferring();
        rig.after(6_000).input(Input::Timeout);
        assert_eq!(rig.said(), [phrases::STILL_TRANSFERRING]);
        rig.speak_all();
        rig.after(24_000).input(Input::Timeout);
        let asked = Effect::Think { question: 2, asked: Question::TransferFailed { status: 408 } };
        assert!(rig.drain().contains(&asked));
    }

    #[test]
    fn a_leg_that_ends_while_the_other_side_rings_was_transferred() {
        let mut rig = transferring();
        rig.input(Input::TransferProgress(180));
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::Transferred));
    }
}
