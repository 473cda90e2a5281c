//! Transferring: the far side is asked to call somebody else, or a person is called and the caller handed over to them
//! with a word in between; the caller hears that it goes on, and comes back to us where it fails.

use serde::{Deserialize, Serialize};

use super::mouth::LineKind;
use super::phase::{Answer, Phase};
use super::timers::TimerReason;
use super::{Conversation, Effect, IgnoredWhy, ending, phrases};
use crate::call::brain::Question;
use crate::call::hand_over::News;
use crate::types::{CallEventKind, CallTime, Destination, EndReason, HandOverOutcome};

/// The status that stands for no answer in time (RFC 3261 section 21.4.9).
pub(super) const NO_ANSWER: u16 = 408;

/// A transfer under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transferring {
    name: String,
    /// The last status that was reported.
    status: u16,
    /// A person is called by us, and told who is on the line.
    #[serde(default)]
    spoken: bool,
    /// The caller speaks with them.
    #[serde(default)]
    joined: bool,
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
    let settings = &call.start.settings;
    let (spoken, late_ms) = if settings.spoken_hand_over {
        (true, settings.hand_over_ms_max)
    } else {
        (false, settings.transfer_ms_max)
    };
    call.phase =
        Phase::Transferring(Transferring { name: name.to_owned(), status: 0, spoken, joined: false });
    if spoken {
        call.record(CallEventKind::HandOver { to: name.to_owned(), outcome: None });
        call.effects.push_back(Effect::HandOver { name: name.to_owned(), to: to.clone() });
    } else {
        call.record(CallEventKind::Transfer { to: name.to_owned(), status: 0 });
        call.effects.push_back(Effect::Transfer { to: to.clone() });
    }
    call.checkpoint_due = true;
    call.timers.set(TimerReason::TransferLate, now + late_ms);
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

/// Whether the caller speaks with the person, and nobody here listens.
pub(super) const fn is_with_the_person(call: &Conversation) -> bool {
    matches!(&call.phase, Phase::Transferring(transfer) if transfer.joined)
}

/// News of a hand-over.
pub(super) fn on_hand_over(call: &mut Conversation, now: CallTime, news: News) {
    let Phase::Transferring(transfer) = &mut call.phase else {
        return call.ignore(IgnoredWhy::OutOfPlace);
    };
    let to = transfer.name.clone();
    match news {
        News::Ringing => transfer.status = transfer.status.max(180),
        News::Joined => {
            (transfer.status, transfer.joined) = (200, true);
            call.timers.cancel(TimerReason::TransferLate);
            call.timers.cancel(TimerReason::TransferReminder);
            for reason in [
                TimerReason::EndOfTurn,
                TimerReason::TurnLimit,
                TimerReason::FinalWordsLate,
                TimerReason::DigitPause,
            ] {
                call.timers.cancel(reason);
            }
            call.digits.clear();
            call.ear.turn_away();
            // They may speak as long as they like: it is no call of ours any more.
            call.timers.cancel(TimerReason::CallLimit);
            let outcome = Some(HandOverOutcome::Answered);
            call.record(CallEventKind::HandOver { to, outcome });
            call.checkpoint_due = true;
        }
        News::Failed(outcome) => hand_over_failed(call, now, outcome),
        News::Moved => ending::without_a_word(call, now, EndReason::Transferred),
        News::Left if transfer.joined => {
            let minutes = u64::from(call.start.call_minutes_max);
            call.timers.set(TimerReason::CallLimit, now + minutes * 60_000);
            call.ask(now, Question::PersonLeft);
        }
        News::Left => call.ignore(IgnoredWhy::OutOfPlace),
    }
}

fn hand_over_failed(call: &mut Conversation, now: CallTime, outcome: HandOverOutcome) {
    let Phase::Transferring(transfer) = &call.phase else { return };
    let to = transfer.name.clone();
    call.timers.cancel(TimerReason::TransferLate);
    call.timers.cancel(TimerReason::TransferReminder);
    call.record(CallEventKind::HandOver { to, outcome: Some(outcome) });
    call.ask(now, Question::HandOverFailed { outcome });
}

/// It has taken as long as it may.
pub(super) fn on_late(call: &mut Conversation, now: CallTime) {
    match &call.phase {
        Phase::Transferring(transfer) if transfer.spoken => {
            call.effects.push_back(Effect::EndHandOver);
            hand_over_failed(call, now, HandOverOutcome::NoAnswer);
        }
        _ => on_progress(call, now, NO_ANSWER),
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

    fn handing_over() -> Rig {
        let mut rig = Rig::thinking("sales please");
        rig.conversation.start.settings.spoken_hand_over = true;
        rig.answer(Thought::Say { text: "I'll put you through.".into() });
        let to = Destination::Uri("sip:sales@example.com".into());
        rig.answer(Thought::Transfer { name: "sales".into(), to: to.clone() });
        rig.speak_all();
        assert!(rig.drain().contains(&Effect::HandOver { name: "sales".into(), to }));
        rig
    }

    #[test]
    fn a_caller_who_speaks_with_the_person_is_left_in_peace_and_comes_back() {
        let mut rig = handing_over();
        rig.input(Input::HandOver(News::Ringing));
        rig.after(6_000).input(Input::Timeout);
        assert_eq!(rig.said(), [phrases::STILL_TRANSFERRING]);
        rig.speak_all();
        rig.input(Input::SpeechStarted);
        rig.input(Input::HandOver(News::Joined));
        rig.drain();
        for spoken in [Input::SpeechStopped, Input::SpeechStarted, Input::Digit('1'), Input::SpeechStopped] {
            rig.input(spoken);
        }
        let ignored = |effect: &Effect| matches!(effect, Effect::Ignored(_));
        assert!(rig.drain().iter().all(ignored), "nobody here listens");
        assert_eq!(rig.conversation.next_deadline(), None, "for as long as they like");
        rig.input(Input::HandOver(News::Left));
        assert!(rig.drain().contains(&Effect::Think { question: 2, asked: Question::PersonLeft }));
        // Or hangs up from there: then the call ended as it was meant to.
        let mut rig = handing_over();
        rig.input(Input::HandOver(News::Joined));
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::Transferred));
    }

    #[test]
    fn a_caller_who_speaks_with_the_person_without_us_was_transferred() {
        let mut rig = handing_over();
        rig.input(Input::HandOver(News::Joined));
        rig.input(Input::HandOver(News::Moved));
        assert_eq!(rig.ended(), Some(EndReason::Transferred));
    }

    #[test]
    fn a_hand_over_that_fails_or_hangs_comes_back_with_its_name() {
        for outcome in [HandOverOutcome::Busy, HandOverOutcome::Voicemail, HandOverOutcome::Declined] {
            let mut rig = handing_over();
            rig.input(Input::HandOver(News::Failed(outcome)));
            let asked = Question::HandOverFailed { outcome };
            assert!(rig.drain().contains(&Effect::Think { question: 2, asked }));
        }
        let mut rig = handing_over();
        for _ in 0..12 {
            rig.after(6_000).input(Input::Timeout);
            rig.speak_all();
        }
        rig.after(6_000).input(Input::Timeout);
        let effects = rig.drain();
        let asked = Question::HandOverFailed { outcome: HandOverOutcome::NoAnswer };
        assert!(effects.contains(&Effect::EndHandOver), "{effects:?}");
        assert!(effects.contains(&Effect::Think { question: 2, asked }), "{effects:?}");
    }

    #[test]
    fn a_leg_that_ends_while_the_other_side_rings_was_transferred() {
        let mut rig = transferring();
        rig.input(Input::TransferProgress(180));
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::Transferred));
    }
}
