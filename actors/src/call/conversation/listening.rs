//! Listening: it is the caller's turn, perhaps because they interrupted.

use serde::{Deserialize, Serialize};

use super::mouth::{Line, LineKind};
use super::phase::{Answer, Phase};
use super::settings::{LINES_MAX, WORDS_LENGTH_MAX};
use super::turn_taking::{Over, Turn};
use super::{Conversation, Effect, taking_message, words};
use crate::call::brain::Question;
use crate::types::{CallTime, EndReason, Private};

/// The caller's turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Listening {
    /// What was being said or thought of, where the caller cut in.
    pub(super) interrupted: Option<Interrupted>,
    /// A turn that is over, where it is not clear yet what was heard of our words.
    pub(super) turn: Option<Turn>,
}

/// An answer that the caller cut into. It goes on where no words came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Interrupted {
    pub(super) answer: Answer,
    /// What of it has not been heard.
    pub(super) unsaid: Vec<Line>,
}

/// What the caller said or pressed while something else could not be left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    words: String,
    confidence: f32,
    digits: String,
}

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.digits.is_empty()
    }
}

impl Listening {
    /// The stopped utterances have been reported.
    pub(super) fn keep_unsaid(&mut self, mut unsaid: Vec<Line>) {
        if let Some(interrupted) = &mut self.interrupted {
            unsaid.append(&mut interrupted.unsaid);
            unsaid.truncate(LINES_MAX);
            interrupted.unsaid = unsaid;
        }
    }

    /// The brain says something although the caller speaks.
    pub(super) fn keep_text(&mut self, text: String) {
        if let Some(interrupted) =
            self.interrupted.as_mut().filter(|interrupted| interrupted.unsaid.len() < LINES_MAX)
        {
            interrupted.unsaid.push(Line { text, kind: LineKind::Answer });
        }
    }
}

impl Conversation {
    /// Keeps words for when it is the caller's turn again.
    pub(super) fn keep_words(&mut self, turn: &Turn) {
        if turn.text.is_empty() || words::is_back_channel(&turn.text) {
            return;
        }
        let joined = words::joined(&self.kept.words, &turn.text);
        words::bounded(&joined, WORDS_LENGTH_MAX).clone_into(&mut self.kept.words);
        self.kept.confidence = turn.confidence;
    }

    /// Keeps keys for when it is the caller's turn again.
    pub(super) fn keep_digits(&mut self, digits: &str) {
        if self.kept.digits.len() + digits.len() <= self.start.settings.digits_max {
            self.kept.digits.push_str(digits);
        }
    }
}

/// Everything is said: it is the caller's turn.
pub(super) fn enter(call: &mut Conversation, now: CallTime) {
    call.phase = Phase::Listening(Listening::default());
    call.fillers = 0;
    call.checkpoint_due = true;
    if call.recogniser.is_gone() {
        return taking_message::enter(call);
    }
    let kept = std::mem::take(&mut call.kept);
    if !kept.words.is_empty() {
        let (text, confidence) = (Private::new(kept.words), kept.confidence);
        call.ask(now, Question::Heard { text, confidence, interrupted_after: None });
        call.kept.digits = kept.digits;
    } else if !kept.digits.is_empty() {
        call.ask(now, Question::Digits(Private::new(kept.digits)));
    } else if call.recogniser.lost_words && !call.recogniser.is_failed() && !call.ear.is_mid_turn() {
        call.ask_to_repeat(now);
    }
}

/// The caller's turn is over.
pub(super) fn on_turn(call: &mut Conversation, now: CallTime, turn: Turn) {
    let Phase::Listening(listening) = &mut call.phase else {
        return;
    };
    // What was heard of our words must be known before the turn is dealt with.
    listening.turn = Some(turn);
    step(call, now);
}

/// Deals with a turn that is over, where everything about it is known.
pub(super) fn step(call: &mut Conversation, now: CallTime) -> bool {
    if call.mouth.is_stopping() {
        return false;
    }
    let Phase::Listening(listening) = &mut call.phase else {
        return false;
    };
    let Some(turn) = listening.turn.take() else {
        return false;
    };
    let interrupted = listening.interrupted.is_some();
    let only_listens = turn.is_back_channel();
    if turn.text.is_empty() || only_listens {
        if interrupted {
            call.false_barge_ins += 1;
            resume(call, now);
        } else if turn.lost {
            call.ask_to_repeat(now);
        } else if turn.text.is_empty() && turn.voiced_ms >= call.start.settings.cough_ms_max {
            call.ask(now, Question::NotUnderstood);
        }
    } else {
        heard(call, now, turn);
    }
    true
}

/// The caller said something.
fn heard(call: &mut Conversation, now: CallTime, turn: Turn) {
    let Phase::Listening(listening) = &mut call.phase else {
        return;
    };
    let mut text = turn.text;
    let mut interrupted_after = None;
    if let Some(interrupted) = listening.interrupted.take() {
        let answer_heard = call.mouth.answer_heard().to_owned();
        match interrupted.answer.asked {
            // Nothing of the answer was heard: the caller had not finished.
            Some(asked) if answer_heard.is_empty() && turn.over != Over::Question => {
                call.effects.push_back(Effect::Forget { question: interrupted.answer.question });
                text = words::joined(asked.text.reveal(), &text);
                interrupted_after = asked.interrupted_after;
            }
            _ => interrupted_after = Some(answer_heard),
        }
    }
    let text = Private::new(words::bounded(&text, WORDS_LENGTH_MAX).to_owned());
    call.ask(now, Question::Heard { text, confidence: turn.confidence, interrupted_after });
}

/// There were no words: goes on where the caller cut in.
pub(super) fn resume(call: &mut Conversation, _now: CallTime) {
    let Phase::Listening(listening) = &mut call.phase else {
        return;
    };
    let Some(Interrupted { answer, unsaid }) = listening.interrupted.take() else {
        return;
    };
    let nothing_to_say = unsaid.is_empty();
    for line in unsaid {
        call.say(line.text, line.kind);
    }
    call.phase =
        if nothing_to_say && answer.is_open() { Phase::Thinking(answer) } else { Phase::saying(answer) };
}

/// The caller has said nothing for a while.
pub(super) fn on_silence(call: &mut Conversation, now: CallTime) {
    let Phase::Listening(_) = call.phase else {
        return;
    };
    call.silences += 1;
    let times = call.silences;
    let is_last = times >= call.start.settings.silences_max;
    call.ask(now, Question::Silence { times });
    if is_last && let Some(answer) = call.phase.answer_mut() {
        answer.last = Some(EndReason::Silence);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::super::{ExpectationKind, Input, phrases};
    use super::*;
    use crate::call::brain::Thought;
    use crate::types::CallEventKind;

    fn words_asked(effects: &[Effect]) -> Vec<(String, Option<String>)> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Think { asked: Question::Heard { text, interrupted_after, .. }, .. } => {
                    Some((text.reveal().clone(), interrupted_after.clone()))
                }
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_turn_ends_after_a_pause_and_its_final_words_are_asked_about() {
        let mut rig = Rig::listening();
        rig.at(5_000).input(Input::SpeechStarted);
        rig.at(6_000).partial("what time do you open").input(Input::SpeechStopped);
        rig.at(6_499).input(Input::Timeout);
        assert!(!rig.drain().contains(&Effect::FinishTurn { turn: 0 }));
        rig.at(6_500).input(Input::Timeout);
        assert!(rig.drain().contains(&Effect::FinishTurn { turn: 0 }));
        rig.at(6_600).final_words("what time do you open");
        assert_eq!(words_asked(&rig.drain()), [("what time do you open".to_owned(), None)]);
    }

    #[test]
    fn a_caller_who_goes_on_after_the_turn_was_finished_is_heard_whole() {
        let mut rig = Rig::listening();
        rig.speaks("i'd like a haircut");
        rig.input(Input::SpeechStarted);
        rig.final_words("i'd like a haircut");
        assert_eq!(words_asked(&rig.drain()), []);
        rig.after(800).input(Input::SpeechStopped);
        rig.after(800).input(Input::Timeout);
        rig.final_words("tomorrow at three");
        assert_eq!(words_asked(&rig.drain()), [("i'd like a haircut tomorrow at three".to_owned(), None)]);
    }

    #[test]
    fn a_caller_who_goes_on_before_the_answer_is_heard_takes_the_question_back() {
        let mut rig = Rig::thinking("my name is sam");
        rig.after(50).input(Input::SpeechStarted);
        rig.answer(Thought::Say { text: "Hello, Sam.".into() });
        rig.answer(Thought::Listen { expect: ExpectationKind::Open });
        assert_eq!(rig.said(), Vec::<String>::new());
        rig.after(600).input(Input::SpeechStopped);
        rig.after(800).input(Input::Timeout);
        rig.final_words("taylor");
        let effects = rig.drain();
        assert!(effects.contains(&Effect::Forget { question: 1 }));
        assert_eq!(words_asked(&effects), [("my name is sam taylor".to_owned(), None)]);
    }

    #[test]
    fn an_interruption_without_words_goes_on_with_the_sentence() {
        let mut rig = Rig::thinking("what time do you open");
        rig.answer(Thought::Say { text: "We open at nine. We close at five.".into() });
        rig.answer(Thought::Listen { expect: ExpectationKind::Open });
        rig.start_speaking();
        rig.after(1_000).input(Input::SpeechStarted);
        rig.after(600).input(Input::Timeout);
        assert!(rig.drain().contains(&Effect::StopSpeaking));
        rig.stopped_after(5);
        rig.after(100).input(Input::SpeechStopped);
        rig.after(800).input(Input::Timeout);
        rig.final_words("");
        assert_eq!(rig.said(), ["We close at five."]);
    }

    #[test]
    fn silence_is_prompted_and_the_third_ends_the_call() {
        let mut rig = Rig::listening();
        for times in 1..=3 {
            rig.after(8_000).input(Input::Timeout);
            let asked = rig.drain().into_iter().find_map(|effect| match effect {
                Effect::Think { asked: Question::Silence { times }, .. } => Some(times),
                _ => None,
            });
            assert_eq!(asked, Some(times));
            rig.answer(Thought::Listen { expect: ExpectationKind::Open });
        }
        assert_eq!(rig.said(), [phrases::NOBODY_THERE]);
        rig.speak_all();
        assert_eq!(rig.ended(), Some(EndReason::Silence));
    }

    #[test]
    fn a_cough_is_not_a_turn_but_mumbling_is() {
        let mut rig = Rig::listening();
        rig.noise(300);
        assert!(!rig.drain().iter().any(|effect| matches!(effect, Effect::Think { .. })));
        rig.noise(1_500);
        let asked = rig.drain();
        assert!(asked.contains(&Effect::Think { question: 1, asked: Question::NotUnderstood }));
    }

    #[test]
    fn a_recogniser_without_final_words_makes_the_partial_ones_count() {
        let mut rig = Rig::listening();
        rig.speaks("what time do you open");
        rig.after(3_000).input(Input::Timeout);
        let effects = rig.drain();
        assert_eq!(words_asked(&effects).len(), 1);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Record(CallEventKind::Trouble { .. }))));
    }
}
