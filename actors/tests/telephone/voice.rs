//! A voice and a leg that plays it: a word at a time, one utterance after the other.

use std::collections::VecDeque;

use actors::call::conversation::{Input, PlaybackEnd, Utterance, UtteranceId};
use actors::types::CallTime;

use super::{Entry, Happening, Telephone, VoiceFault};

/// How long a spoken word takes.
const WORD_MS: u64 = 330;
/// How long the voice takes to its first sample.
const START_MS: u64 = 150;

#[derive(Debug, Default)]
pub(super) struct Voice {
    /// What is being made ready or played, in order, with when it became audible.
    utterances: VecDeque<(Utterance, Option<CallTime>, bool)>,
}

impl Voice {
    pub(super) fn is_silent(&self) -> bool {
        self.utterances.is_empty()
    }

    pub(super) fn is_audible(&self) -> bool {
        self.utterances.iter().any(|(_, audible, _)| audible.is_some())
    }

    pub(super) fn audible(&self, now: CallTime) -> Option<(UtteranceId, u32)> {
        let (utterance, since, _) = self.utterances.front()?;
        Some((utterance.id, words_begun(utterance, now.since_ms((*since)?))))
    }
}

fn words_begun(utterance: &Utterance, played_ms: u64) -> u32 {
    let all = utterance.text.split_whitespace().count() as u64;
    u32::try_from((played_ms / WORD_MS + 1).min(all)).expect("a short text")
}

impl Telephone {
    pub(super) fn say(&mut self, utterance: Utterance) {
        let wait_ms = match self.faults.voice() {
            VoiceFault::None => START_MS,
            VoiceFault::Slow(ms) => ms,
            VoiceFault::Silent => return,
            VoiceFault::Fails => {
                let utterance = utterance.id;
                return self.after(30, Happening::Input(Input::VoiceFailed { utterance }));
            }
        };
        self.voice.utterances.push_back((utterance.clone(), None, false));
        self.after(wait_ms, Happening::VoiceReady(utterance));
    }

    pub(super) fn voice_ready(&mut self, utterance: Utterance) {
        let Some(ready) = self.voice.utterances.iter_mut().find(|(one, _, _)| one.id == utterance.id) else {
            return;
        };
        ready.2 = true;
        self.play_next();
    }

    fn play_next(&mut self) {
        let now = self.now;
        let Some((utterance, audible @ None, true)) = self.voice.utterances.front_mut() else {
            return;
        };
        *audible = Some(now);
        let (id, words) = (utterance.id, utterance.text.split_whitespace().count() as u64);
        self.log.push(Entry::Heard { id, text: String::new(), complete: false });
        self.after(words * WORD_MS, Happening::Played(id));
        self.tell(Input::PlaybackStarted { utterance: id });
    }

    pub(super) fn played(&mut self, id: UtteranceId) {
        if self.voice.utterances.front().is_none_or(|(utterance, _, _)| utterance.id != id) {
            return;
        }
        let Some((utterance, _, _)) = self.voice.utterances.pop_front() else {
            return;
        };
        self.last_sound = self.now;
        let words = words_begun(&utterance, u64::MAX);
        self.heard(&utterance, words);
        self.tell(Input::PlaybackEnded { utterance: id, end: PlaybackEnd { complete: true, words } });
        self.play_next();
    }

    pub(super) fn stop_speaking(&mut self) {
        for (utterance, audible, _) in std::mem::take(&mut self.voice.utterances) {
            let words = audible.map_or(0, |since| words_begun(&utterance, self.now.since_ms(since)));
            if audible.is_some() {
                self.heard(&utterance, words);
                self.last_sound = self.now;
            }
            let end = PlaybackEnd { complete: false, words };
            self.after(20, Happening::Input(Input::PlaybackEnded { utterance: utterance.id, end }));
        }
    }

    /// The leg ends, and says at once how far it got.
    pub(super) fn leg_stops(&mut self) {
        self.stop_speaking();
        let ends = |happening: &Happening| matches!(happening, Happening::Input(Input::PlaybackEnded { .. }));
        let keys: Vec<_> =
            self.queue.iter().filter(|(_, happening)| ends(happening)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(Happening::Input(input)) = self.queue.remove(&key) {
                self.tell(input);
            }
        }
    }

    fn heard(&mut self, utterance: &Utterance, words: u32) {
        let all: Vec<&str> = utterance.text.split_whitespace().collect();
        let begun = all.iter().take(words as usize).copied().collect::<Vec<_>>().join(" ");
        let whole = words as usize >= all.len();
        for entry in &mut self.log {
            if let Entry::Heard { id, text, complete } = entry
                && *id == utterance.id
            {
                begun.clone_into(text);
                *complete = whole;
            }
        }
    }
}
