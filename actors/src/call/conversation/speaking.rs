//! Thinking and speaking: what the caller's voice and words do while it is our turn.

use super::Conversation;
use super::phase::Phase;
use super::timers::TimerReason;
use super::turn_taking::{Over, Turn};
use super::words;
use crate::types::CallTime;

/// The caller began to speak.
pub(super) fn on_voice(call: &mut Conversation, now: CallTime) {
    if call.mouth.is_audible() || call.mouth.is_announcing() {
        if !is_closing(call) {
            call.timers.set(TimerReason::BargeIn, now + call.start.settings.barge_in_ms);
        }
    } else if may_go_on(call) {
        // Nothing of the answer has been heard: the caller goes on, and gets the word at once.
        call.interrupt(now, None);
    }
}

/// Whether a caller who speaks before our answer is audible is adding to what they said.
fn may_go_on(call: &Conversation) -> bool {
    let noisy = call.false_barge_ins >= call.start.settings.false_barge_ins_max;
    matches!(call.phase, Phase::Thinking(_) | Phase::Speaking(_)) && !noisy
}

/// Whether our last words are being said. Then callers say goodbye too, which is no interruption.
fn is_closing(call: &Conversation) -> bool {
    matches!(call.phase, Phase::Ending(_))
}

/// Some of the caller's words are known.
pub(super) fn on_words(call: &mut Conversation, now: CallTime) {
    let farewell = is_closing(call) && words::is_farewell(call.ear.partial());
    let before_greeting = matches!(call.phase, Phase::Greeting(_)) && call.ear.over() == Over::Nothing;
    if call.is_interrupted_by_words() && !farewell && !before_greeting && !call.mouth.is_announcing() {
        call.interrupt(now, None);
    }
}

/// The caller said something short while we were speaking.
pub(super) fn on_turn(call: &mut Conversation, now: CallTime, turn: Turn) {
    if turn.text.is_empty() || turn.is_back_channel() || (is_closing(call) && words::is_farewell(&turn.text))
    {
        return;
    }
    let before_greeting = matches!(call.phase, Phase::Greeting(_)) && turn.over == Over::Nothing;
    if before_greeting || call.mouth.is_announcing() {
        if !words::is_hello(&turn.text) {
            call.keep_words(&turn);
        }
        return;
    }
    call.interrupt(now, Some(turn));
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{Effect, ExpectationKind, Input, phrases};
    use crate::call::brain::{Question, Thought};
    use crate::types::{CallEventKind, EndReason, Private, Speaker};

    fn speaking(text: &str) -> Rig {
        let mut rig = Rig::thinking("what time do you open");
        rig.answer(Thought::Say { text: text.into() });
        rig.answer(Thought::Listen { expect: ExpectationKind::Open });
        rig.start_speaking();
        rig.drain();
        rig
    }

    #[test]
    fn one_decoded_word_stops_the_speaker_at_once() {
        let mut rig = speaking("We open at nine. We close at five.");
        rig.after(700).input(Input::SpeechStarted);
        rig.after(200).partial("no");
        assert!(rig.drain().contains(&Effect::StopSpeaking));
        rig.stopped_after(3);
        let heard = Effect::Record(CallEventKind::Said {
            speaker: Speaker::Receptionist,
            text: Private::new("We open at".to_owned()),
            interrupted: true,
            confidence: None,
        });
        assert!(rig.drain().contains(&heard));
    }

    #[test]
    fn a_cough_does_not_stop_the_speaker() {
        let mut rig = speaking("We open at nine. We close at five.");
        rig.after(700).input(Input::SpeechStarted);
        rig.after(300).input(Input::SpeechStopped);
        rig.after(800).input(Input::Timeout);
        rig.final_words("");
        assert!(!rig.drain().contains(&Effect::StopSpeaking));
    }

    #[test]
    fn a_back_channel_does_not_stop_the_speaker() {
        let mut rig = speaking("We open at nine. We close at five.");
        rig.after(700).input(Input::SpeechStarted);
        rig.after(200).partial("mm-hm");
        rig.after(450).input(Input::Timeout);
        rig.after(50).input(Input::SpeechStopped);
        rig.after(800).input(Input::Timeout);
        rig.final_words("mm-hm");
        let effects = rig.drain();
        assert!(!effects.contains(&Effect::StopSpeaking));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Think { .. })));
    }

    #[test]
    fn yeah_after_a_question_is_an_answer() {
        let mut rig = speaking("Shall I book it?");
        rig.after(1_300).input(Input::SpeechStarted);
        rig.after(200).partial("yeah");
        assert!(rig.drain().contains(&Effect::StopSpeaking));
    }

    #[test]
    fn final_words_over_our_voice_interrupt_with_what_was_heard() {
        let mut rig = speaking("We open at nine. We close at five.");
        rig.after(700).input(Input::SpeechStarted);
        rig.after(300).input(Input::SpeechStopped);
        rig.after(800).input(Input::Timeout);
        rig.final_words("stop");
        assert!(rig.drain().contains(&Effect::StopSpeaking));
        rig.stopped_after(6);
        let asked = rig.drain().into_iter().find_map(|effect| match effect {
            Effect::Think { asked: Question::Heard { interrupted_after, .. }, .. } => interrupted_after,
            _ => None,
        });
        assert_eq!(asked.as_deref(), Some("We open at nine. We close"));
    }

    #[test]
    fn a_goodbye_is_not_interrupted_by_thanks() {
        let mut rig = Rig::thinking("that's all");
        rig.answer(Thought::Say { text: "Thank you for calling. Goodbye.".into() });
        rig.answer(Thought::End { reason: EndReason::Completed });
        rig.start_speaking();
        rig.drain();
        rig.after(500).input(Input::SpeechStarted);
        rig.after(300).partial("thank you bye");
        assert!(!rig.drain().contains(&Effect::StopSpeaking));
        rig.after(300).partial("thank you oh one more thing");
        assert!(rig.drain().contains(&Effect::StopSpeaking));
        rig.stopped_after(2);
        assert_eq!(rig.ended(), None);
    }

    #[test]
    fn our_own_silence_is_bridged_by_words_and_then_by_a_tone() {
        let mut rig = Rig::thinking("what time do you open");
        rig.after(1_400).input(Input::Timeout);
        assert_eq!(rig.said(), [phrases::FILLERS[0]]);
        rig.after(500).input(Input::Timeout);
        assert!(rig.drain().contains(&Effect::PlayTone));
    }

    #[test]
    fn a_voice_that_fails_for_good_ends_the_call_after_a_tone() {
        let mut rig = Rig::thinking("what time do you open");
        rig.answer(Thought::Say { text: "We open at nine.".into() });
        for said in ["We open at nine.", "We open at nine.", phrases::SPEECHLESS] {
            assert_eq!(rig.said(), [said]);
            rig.voice_fails();
        }
        let effects = rig.drain();
        assert!(effects.contains(&Effect::PlayTone));
        assert_eq!(rig.ended(), Some(EndReason::EngineFailed));
    }

    #[test]
    fn a_silent_brain_ends_in_a_message() {
        let mut rig = Rig::thinking("what time do you open");
        while rig.conversation.snapshot().phase != "taking_message" {
            let deadline = rig.conversation.next_deadline().map(|(at, _)| at).unwrap();
            let now = rig.now().max(deadline).as_ms();
            rig.at(now).input(Input::Timeout);
            rig.speak_all();
        }
        assert!(rig.now().as_ms() <= 25_000, "{}", rig.now());
    }
}
