//! Ending: last words, a last outcome, and then exactly one end.

use serde::{Deserialize, Serialize};

use super::ending_reason::{outcome_of, when_the_leg_ended};
use super::mouth::{AfterStop, LineKind};
use super::phase::{Answer, Phase};
use super::timers::TimerReason;
use super::{Conversation, Effect, phrases, taking_message};
use crate::types::{CallEventKind, CallTime, EndReason, Heading, Outcome, ToolOutcome};

/// A call that is about to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    /// The brain's goodbye, which the caller may interrupt; absent where the end is not to be talked about.
    pub(super) answer: Option<Answer>,
}

/// Ends the call after these words; what is being said is finished first.
pub(super) fn enter(call: &mut Conversation, reason: EndReason, text: &str) {
    call.phase = Phase::Ending(Ending { outcome: outcome_of(reason), answer: None });
    call.say(text, LineKind::Own);
}

/// Ends the call without another word.
pub(super) fn without_a_word(call: &mut Conversation, now: CallTime, reason: EndReason) {
    hear_out(call, now);
    call.mouth.close();
    call.phase = Phase::Ending(Ending { outcome: outcome_of(reason), answer: None });
    // The far side has nobody to talk to any more, but a tool's outcome may still be awaited.
    call.leg_gone |= !call.tools.is_any_pending();
}

/// The call has lasted as long as it may.
pub(super) fn on_too_long(call: &mut Conversation, now: CallTime) {
    interrupt_ourselves(call, now, EndReason::TooLong, phrases::TOO_LONG, call.start.settings.ending_ms_max);
}

/// The node stops: a short goodbye.
pub(super) fn on_node_stopping(call: &mut Conversation, now: CallTime) {
    if !call.established {
        return without_a_word(call, now, EndReason::NodeStopped);
    }
    let limit_ms = call.start.settings.stopping_ms_max;
    interrupt_ourselves(call, now, EndReason::NodeStopped, phrases::STOPPING, limit_ms);
}

fn interrupt_ourselves(call: &mut Conversation, now: CallTime, reason: EndReason, text: &str, limit_ms: u64) {
    if !matches!(call.phase, Phase::Ending(_)) {
        if taking_message::is_unkept(call) {
            taking_message::keep(call, now);
        }
        call.stop_speaking(now, AfterStop::Drop);
        enter(call, reason, text);
    }
    call.timers.set(TimerReason::EndingLimit, now + limit_ms);
}

/// The leg is gone. A tool that works is awaited, then the call is over.
pub(super) fn on_leg_ended(call: &mut Conversation, now: CallTime, told: EndReason) {
    if call.leg_gone {
        return call.ignore(super::IgnoredWhy::Stale);
    }
    let reason = when_the_leg_ended(call, told);
    hear_out(call, now);
    if taking_message::is_unkept(call) {
        taking_message::keep(call, now);
    }
    call.mouth.close();
    call.leg_gone = true;
    let outcome = outcome_of(reason);
    call.phase = Phase::Ending(Ending { outcome, answer: None });
    call.timers.set(TimerReason::EndingLimit, now + call.start.settings.ending_ms_max);
}

/// Records what both sides had heard when the line went away.
fn hear_out(call: &mut Conversation, now: CallTime) {
    for (id, end) in call.mouth.estimate_ends(now) {
        if let Some(heard) = call.mouth.ended(now, id, end) {
            call.transcript_ours(&heard);
        }
    }
    let words = call.ear.unfinished_words();
    call.transcript_caller(&words, 0.0);
    call.ear.lose_turn();
}

/// Everything is said.
pub(super) fn step(call: &mut Conversation) -> bool {
    if call.tools.is_any_pending() {
        return false;
    }
    finish(call);
    false
}

/// A message was kept after the caller had gone, or not.
pub(super) fn on_outcome(call: &mut Conversation, outcome: &ToolOutcome) {
    if let ToolOutcome::MessageTaken { .. } = outcome {
        call.heading = Heading::Message;
    }
}

/// The end, once.
pub(super) fn finish(call: &mut Conversation) {
    let Phase::Ending(ending) = &call.phase else {
        return;
    };
    let outcome = ending.outcome;
    call.give_up_tools();
    call.record(CallEventKind::Ended { outcome });
    call.effects.push_back(Effect::HangUp(outcome));
    call.phase = Phase::Ended(outcome);
    call.mouth.close();
    call.timers.clear();
    call.our_turn_since = None;
    call.checkpoint_due = false;
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{ExpectationKind, IgnoredWhy, Input};
    use super::*;
    use crate::call::brain::Thought;

    #[test]
    fn the_goodbye_is_heard_before_the_call_ends() {
        let mut rig = Rig::thinking("that's all");
        rig.answer(Thought::Say { text: "Goodbye.".into() });
        rig.answer(Thought::End { reason: EndReason::Completed });
        assert_eq!(rig.ended(), None);
        rig.speak_all();
        assert_eq!(rig.ended(), Some(EndReason::Completed));
        assert_eq!(rig.conversation.next_deadline(), None);
        rig.drain();
        for input in [Input::Timeout, Input::SpeechStarted, Input::LegEnded(EndReason::CallerHungUp)] {
            rig.input(input);
            assert_eq!(rig.drain(), [Effect::Ignored(IgnoredWhy::Ended)]);
        }
    }

    #[test]
    fn hanging_up_with_nothing_open_is_the_callers_right() {
        let mut rig = Rig::listening();
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::CallerHungUp));
    }

    #[test]
    fn hanging_up_before_an_answer_is_midway() {
        let mut rig = Rig::thinking("what time do you open");
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::CallerHungUpMidway));
        let mut rig = Rig::thinking("a haircut please");
        rig.answer(Thought::Listen { expect: ExpectationKind::DateTime });
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(rig.ended(), Some(EndReason::CallerHungUpMidway));
    }

    #[test]
    fn a_stopping_node_says_goodbye_within_its_bound() {
        let mut rig = Rig::listening();
        rig.at(9_000).input(Input::NodeStopping);
        assert_eq!(rig.said(), [phrases::STOPPING]);
        rig.at(14_000).input(Input::Timeout);
        assert_eq!(rig.ended(), Some(EndReason::NodeStopped));
    }

    #[test]
    fn the_longest_call_ends_politely() {
        let mut rig = Rig::listening();
        rig.at(30 * 60_000 + 100_000).input(Input::Held(true));
        rig.input(Input::Timeout);
        rig.input(Input::Held(false));
        rig.speak_all();
        assert_eq!(rig.last_said(), phrases::TOO_LONG);
        assert_eq!(rig.ended(), Some(EndReason::TooLong));
    }

    #[test]
    fn a_broken_line_is_told_apart_from_a_caller_who_hangs_up() {
        let mut rig = Rig::listening();
        rig.input(Input::LegEnded(EndReason::MediaTimeout));
        assert_eq!(rig.ended(), Some(EndReason::MediaTimeout));
    }
}
