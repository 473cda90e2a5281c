//! Taking a message by tone, where there is nobody to talk to: the brain or the recogniser is gone.

use serde::{Deserialize, Serialize};

use super::mouth::LineKind;
use super::phase::Phase;
use super::settings::WORDS_LENGTH_MAX;
use super::timers::TimerReason;
use super::turn_taking::Turn;
use super::{Conversation, IgnoredWhy, ending, phrases, words};
use crate::types::{
    CallTime, Contact, EndReason, Heading, Private, ToolCall, ToolOutcome, ToolStep, Urgency,
};

/// A message that is being taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TakingMessage {
    stage: Stage,
    /// The caller has spoken after the tone.
    spoke: bool,
    /// Their words, where a recogniser understands any.
    words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The caller is told what to do.
    Prompting,
    /// The caller speaks.
    Recording,
    /// The message is being kept.
    Keeping(ToolStep),
}

impl TakingMessage {
    pub(super) fn is_recording(&self) -> bool {
        self.stage == Stage::Recording
    }

    /// Whether there is something to keep.
    pub(super) const fn has_begun(&self) -> bool {
        self.spoke
    }

    pub(super) fn is_kept_by(&self, step: ToolStep) -> bool {
        self.stage == Stage::Keeping(step)
    }
}

/// Asks for a message, after what is being said; or ends the call, where nothing can keep one.
pub(super) fn enter(call: &mut Conversation) {
    for reason in [TimerReason::BrainLate, TimerReason::Silence, TimerReason::DigitPause] {
        call.timers.cancel(reason);
    }
    call.digits.clear();
    if call.start.recording.is_none() && call.recogniser.is_failed() {
        return ending::enter(call, EndReason::EngineFailed, phrases::CALL_AGAIN);
    }
    call.phase =
        Phase::TakingMessage(TakingMessage { stage: Stage::Prompting, spoke: false, words: String::new() });
    call.say(phrases::LEAVE_A_MESSAGE, LineKind::Own);
}

/// Everything is said: the tone, and then it is the caller's turn.
pub(super) fn step(call: &mut Conversation, now: CallTime) -> bool {
    let Phase::TakingMessage(message) = &mut call.phase else {
        return false;
    };
    if message.stage != Stage::Prompting {
        return false;
    }
    message.stage = Stage::Recording;
    message.spoke = call.ear.is_voice();
    if !message.spoke {
        call.timers.set(TimerReason::MessageSilence, now + call.start.settings.message_start_ms);
    }
    call.timers.set(TimerReason::MessageLimit, now + call.start.settings.message_ms_max);
    call.play_tone(now);
    true
}

pub(super) fn on_voice(call: &mut Conversation, _now: CallTime) {
    if let Phase::TakingMessage(message) = &mut call.phase
        && message.stage == Stage::Recording
    {
        message.spoke = true;
        call.timers.cancel(TimerReason::MessageSilence);
    }
}

pub(super) fn on_voice_stopped(call: &mut Conversation, now: CallTime) {
    if let Phase::TakingMessage(message) = &call.phase
        && message.stage == Stage::Recording
    {
        call.timers.set(TimerReason::MessageSilence, now + call.start.settings.message_silence_ms);
    }
}

/// Some of the message was understood.
pub(super) fn on_turn(call: &mut Conversation, turn: &Turn) {
    if let Phase::TakingMessage(message) = &mut call.phase
        && message.stage == Stage::Recording
    {
        let words = words::joined(&message.words, &turn.text);
        words::bounded(&words, WORDS_LENGTH_MAX).clone_into(&mut message.words);
    }
}

pub(super) fn on_digit(call: &mut Conversation, now: CallTime, digit: char) {
    match &call.phase {
        Phase::TakingMessage(message) if message.stage == Stage::Recording && digit == '#' => {
            finish(call, now)
        }
        _ => call.ignore(IgnoredWhy::OutOfPlace),
    }
}

/// The message has ended, or never began.
pub(super) fn finish(call: &mut Conversation, now: CallTime) {
    let Phase::TakingMessage(message) = &call.phase else {
        return;
    };
    if message.stage != Stage::Recording {
        return;
    }
    if message.spoke {
        keep(call, now);
    } else {
        ending::enter(call, EndReason::EngineFailed, phrases::GOODBYE);
    }
}

/// Keeps what there is of the message.
pub(super) fn keep(call: &mut Conversation, now: CallTime) {
    for reason in [TimerReason::MessageSilence, TimerReason::MessageLimit] {
        call.timers.cancel(reason);
    }
    let Phase::TakingMessage(message) = &call.phase else {
        return;
    };
    let text = words::joined(&message.words, &call.ear.unfinished_words());
    let from = Contact { name: None, number: call.start.caller.clone() };
    let text = Private::new(words::bounded(&text, WORDS_LENGTH_MAX).to_owned());
    let step =
        call.call_tool(now, ToolCall::TakeMessage { recipient: None, from, text, urgency: Urgency::Normal });
    if let Phase::TakingMessage(message) = &mut call.phase {
        message.stage = Stage::Keeping(step);
    }
}

/// Whether the caller has said something that is not kept yet.
pub(super) fn is_unkept(call: &Conversation) -> bool {
    matches!(&call.phase, Phase::TakingMessage(message) if message.stage == Stage::Recording && message.spoke)
}

/// The message is kept, or not.
pub(super) fn on_outcome(call: &mut Conversation, _now: CallTime, outcome: &ToolOutcome) {
    let text = if let ToolOutcome::MessageTaken { .. } = outcome {
        call.heading = Heading::Message;
        phrases::MESSAGE_KEPT
    } else {
        phrases::MESSAGE_UNCERTAIN
    };
    ending::enter(call, EndReason::EngineFailed, text);
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{Effect, Input};
    use super::*;
    use crate::call::brain::Thought;
    use crate::types::MessageId;

    fn recording() -> Rig {
        let mut rig = Rig::thinking("hello");
        rig.answer(Thought::GiveUp { why: "no model".into() });
        assert_eq!(rig.said(), [phrases::LEAVE_A_MESSAGE]);
        rig.speak_all();
        assert!(rig.drain().contains(&Effect::PlayTone));
        rig
    }

    fn kept(rig: &mut Rig) -> Option<String> {
        rig.drain().into_iter().find_map(|effect| match effect {
            Effect::UseTool { call: ToolCall::TakeMessage { text, .. }, .. } => Some(text.into_inner()),
            _ => None,
        })
    }

    #[test]
    fn a_message_ends_with_a_hash_and_its_words_are_kept() {
        let mut rig = recording();
        rig.speaks("please call me back");
        rig.final_words("please call me back");
        rig.input(Input::Digit('#'));
        assert_eq!(kept(&mut rig).as_deref(), Some("please call me back"));
        let outcome = ToolOutcome::MessageTaken { message: MessageId::default() };
        rig.input(Input::Tool { step: ToolStep(0), outcome });
        assert_eq!(rig.said(), [phrases::MESSAGE_KEPT]);
        rig.speak_all();
        assert_eq!(rig.ended(), Some(EndReason::EngineFailed));
        assert_eq!(rig.conversation.heading(), Heading::Message);
    }

    #[test]
    fn a_message_ends_with_silence() {
        let mut rig = recording();
        rig.speaks("hello");
        rig.final_words("hello");
        rig.after(4_000).input(Input::Timeout);
        assert_eq!(kept(&mut rig).as_deref(), Some("hello"));
    }

    #[test]
    fn nothing_said_is_no_message() {
        let mut rig = recording();
        rig.after(6_000).input(Input::Timeout);
        assert_eq!(rig.said(), [phrases::GOODBYE]);
    }

    #[test]
    fn a_message_that_fails_to_be_kept_is_not_promised() {
        let mut rig = recording();
        rig.speaks("hello");
        rig.input(Input::Digit('#'));
        rig.drain();
        rig.input(Input::Tool { step: ToolStep(0), outcome: ToolOutcome::Failed { why: "full".into() } });
        assert_eq!(rig.said(), [phrases::MESSAGE_UNCERTAIN]);
    }

    #[test]
    fn a_caller_who_hangs_up_has_left_the_message() {
        let mut rig = recording();
        rig.speaks("please call me back");
        rig.final_words("please call me back");
        rig.input(Input::LegEnded(EndReason::CallerHungUp));
        assert_eq!(kept(&mut rig).as_deref(), Some("please call me back"));
        let outcome = ToolOutcome::MessageTaken { message: MessageId::default() };
        rig.input(Input::Tool { step: ToolStep(0), outcome });
        assert_eq!(rig.ended(), Some(EndReason::CallerHungUp));
    }
}
