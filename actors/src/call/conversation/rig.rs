//! What the phases' tests have in common: a conversation, a clock and the effects so far.

use super::{Conversation, Effect, ExpectationKind, Input, PlaybackEnd, Start, UtteranceId};
use crate::call::brain::Thought;
use crate::types::{CallTime, EndReason, RecordingId};

pub(super) struct Rig {
    pub(super) conversation: Conversation,
    now: CallTime,
    effects: Vec<Effect>,
    /// Utterances handed over, not yet ended, in order, and whether they are audible.
    playing: Vec<(UtteranceId, String, bool)>,
    ended: Option<EndReason>,
}

/// The texts that were handed over.
pub(super) fn said(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Say(utterance) => Some(utterance.text.clone()),
            _ => None,
        })
        .collect()
}

impl Rig {
    pub(super) fn ringing(start: Start) -> Self {
        let mut rig = Self {
            conversation: Conversation::new(start),
            now: CallTime::START,
            effects: Vec::new(),
            playing: Vec::new(),
            ended: None,
        };
        rig.take_effects();
        rig
    }

    /// A call whose greeting was heard.
    pub(super) fn listening() -> Self {
        let start = Start { recording: Some(RecordingId::default()), ..Start::default() };
        let mut rig = Self::ringing(start);
        rig.thought(0, Thought::Say { text: "How can I help?".into() });
        rig.thought(0, Thought::Listen { expect: ExpectationKind::Open });
        rig.at(100).input(Input::Established);
        rig.speak_all();
        rig.drain();
        rig
    }

    /// A call whose caller has said this; the brain thinks about question 1.
    pub(super) fn thinking(words: &str) -> Self {
        let mut rig = Self::listening();
        rig.speaks(words);
        rig.final_words(words);
        rig.drain();
        rig
    }

    pub(super) fn now(&self) -> CallTime {
        self.now
    }

    pub(super) fn at(&mut self, ms: u64) -> &mut Self {
        self.now = CallTime::from_ms(ms);
        self
    }

    pub(super) fn after(&mut self, ms: u64) -> &mut Self {
        self.now = self.now + ms;
        self
    }

    pub(super) fn input(&mut self, input: Input) -> &mut Self {
        self.conversation.handle(self.now, input);
        self.take_effects();
        self
    }

    fn take_effects(&mut self) {
        while let Some(effect) = self.conversation.poll_effect() {
            match &effect {
                Effect::Say(utterance) => self.playing.push((utterance.id, utterance.text.clone(), false)),
                Effect::HangUp(outcome) => {
                    assert_eq!(self.ended, None, "ended twice");
                    self.ended = Some(outcome.reason);
                }
                _ => {}
            }
            self.effects.push(effect);
        }
        let state = self.conversation.to_bytes();
        assert_eq!(Conversation::from_bytes(&state).as_ref(), Ok(&self.conversation));
    }

    /// The effects since the last time.
    pub(super) fn drain(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The texts handed over since effects were drained last.
    pub(super) fn said(&mut self) -> Vec<String> {
        said(&self.drain())
    }

    pub(super) fn ended(&self) -> Option<EndReason> {
        self.ended
    }

    pub(super) fn last_said(&self) -> String {
        self.conversation.last_said().to_owned()
    }

    pub(super) fn thought(&mut self, question: u64, thought: Thought) -> &mut Self {
        self.input(Input::Thought { question, thought })
    }

    /// A thought on question 1.
    pub(super) fn answer(&mut self, thought: Thought) -> &mut Self {
        let question = self.conversation.snapshot().questions - 1;
        self.answer_to(question, thought)
    }

    pub(super) fn answer_to(&mut self, question: u64, thought: Thought) -> &mut Self {
        self.thought(question, thought)
    }

    pub(super) fn partial(&mut self, text: &str) -> &mut Self {
        let turn = self.conversation.snapshot().turn;
        self.input(Input::Partial { turn, text: text.into(), confidence: 0.9 })
    }

    /// The final words of the turn that was finished last.
    pub(super) fn final_words(&mut self, text: &str) -> &mut Self {
        let turn = self.conversation.snapshot().turn - 1;
        self.input(Input::Final { turn, text: text.into(), confidence: 0.9 })
    }

    /// The caller says this, until the turn is finished.
    pub(super) fn speaks(&mut self, text: &str) -> &mut Self {
        let words = text.split_whitespace().count() as u64;
        self.after(300).input(Input::SpeechStarted);
        self.after(words * 250).partial(text);
        self.after(100).input(Input::SpeechStopped);
        self.after(500).input(Input::Timeout)
    }

    /// A noise without words.
    pub(super) fn noise(&mut self, ms: u64) -> &mut Self {
        self.after(300).input(Input::SpeechStarted);
        self.after(ms).input(Input::SpeechStopped);
        self.after(800).input(Input::Timeout);
        self.final_words("")
    }

    /// The first utterance handed over becomes audible.
    pub(super) fn start_speaking(&mut self) -> &mut Self {
        let first = self.playing.iter_mut().find(|(_, _, audible)| !audible);
        let (id, _, audible) = first.expect("something was to be said");
        *audible = true;
        let utterance = *id;
        self.after(100).input(Input::PlaybackStarted { utterance })
    }

    /// The leg reports that the first utterance was cut off after so many words, and the rest never began.
    pub(super) fn stopped_after(&mut self, words: u32) -> &mut Self {
        for (place, (utterance, _, _)) in std::mem::take(&mut self.playing).into_iter().enumerate() {
            let words = if place == 0 { words } else { 0 };
            self.input(Input::PlaybackEnded { utterance, end: PlaybackEnd { complete: false, words } });
        }
        self
    }

    /// The leg reports the end of the first utterance.
    pub(super) fn first_ends(&mut self, end: PlaybackEnd) -> &mut Self {
        let (utterance, _, _) = self.playing.remove(0);
        self.input(Input::PlaybackEnded { utterance, end })
    }

    pub(super) fn voice_fails(&mut self) -> &mut Self {
        let (utterance, _, _) = self.playing.remove(0);
        self.input(Input::VoiceFailed { utterance })
    }

    /// Plays everything that is handed over to its end.
    pub(super) fn speak_all(&mut self) -> &mut Self {
        while let Some((utterance, text, audible)) = self.playing.first().cloned() {
            if !audible {
                self.start_speaking();
            }
            let words = u32::try_from(text.split_whitespace().count()).expect("a short text");
            self.playing.remove(0);
            let end = PlaybackEnd { complete: true, words };
            self.after(u64::from(words) * 350).input(Input::PlaybackEnded { utterance, end });
        }
        self
    }
}
