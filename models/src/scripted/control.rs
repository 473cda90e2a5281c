//! What a test does to the fake engines while they run.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::engine::{Expectation, Heard, Word};

/// A failure to be suffered once, but for [`Fault::DelayFinals`] and [`Fault::DelaySpeech`], which stay until
/// [`Control::clear`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The next session is refused as one too many.
    ListenFull,
    /// The next session is refused because the engine is not there.
    ListenUnavailable,
    /// A session fails instead of answering the turn with this number.
    FailTurn(u64),
    /// A session fails as soon as it hears the next word.
    FailInSpeech,
    /// The turn with this number is never answered.
    HangTurn(u64),
    /// Every final comes this much later.
    DelayFinals {
        /// By how much.
        by_ms: u64,
    },
    /// The next utterance is refused as one too many.
    SpeakFull,
    /// The next utterance fails.
    FailSpeech,
    /// The next utterance never comes.
    HangSpeech,
    /// Every utterance comes this much later.
    DelaySpeech {
        /// By how much.
        by_ms: u64,
    },
}

/// The handle that a test keeps; clones act on the same engines.
#[derive(Debug, Clone, Default)]
pub struct Control {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    turns: VecDeque<Heard>,
    faults: Vec<Fault>,
    expectations: Vec<Expectation>,
    spoken: Vec<String>,
}

/// Utterances and expectations remembered; older ones are forgotten.
const REMEMBERED: usize = 1_000;

impl Control {
    /// The next turn that any session finishes hears `words`, whatever was said. Several calls queue up.
    pub fn next_turn(&self, words: &str) {
        let words = words.split_whitespace().map(|word| Word {
            text: word.to_lowercase(),
            confidence: 1.0,
            ..Word::default()
        });
        self.next_turn_heard(Heard { words: words.collect(), ..Heard::default() });
    }

    /// As [`Self::next_turn`], with confidences.
    pub fn next_turn_heard(&self, heard: Heard) {
        self.state.lock().turns.push_back(heard);
    }

    /// Orders a failure.
    pub fn inject(&self, fault: Fault) {
        self.state.lock().faults.push(fault);
    }

    /// Forgets every failure and every turn that was ordered and has not happened.
    pub fn clear(&self) {
        let mut state = self.state.lock();
        state.faults.clear();
        state.turns.clear();
    }

    /// What sessions were told to expect, oldest first.
    #[must_use]
    pub fn expectations(&self) -> Vec<Expectation> {
        self.state.lock().expectations.clone()
    }

    /// The texts that were asked for, oldest first.
    #[must_use]
    pub fn spoken(&self) -> Vec<String> {
        self.state.lock().spoken.clone()
    }

    pub(super) fn note_expectation(&self, expectation: Expectation) {
        remember(&mut self.state.lock().expectations, expectation);
    }

    pub(super) fn note_spoken(&self, text: &str) {
        remember(&mut self.state.lock().spoken, text.to_owned());
    }

    pub(super) fn take_turn(&self) -> Option<Heard> {
        self.state.lock().turns.pop_front()
    }

    /// Whether `fault` was ordered; it then has happened.
    pub(super) fn suffer(&self, fault: Fault) -> bool {
        let faults = &mut self.state.lock().faults;
        let found = faults.iter().position(|ordered| *ordered == fault);
        if let Some(at) = found {
            faults.remove(at);
        }
        found.is_some()
    }

    /// Delays of finals and of utterances.
    pub(super) fn delays_ms(&self) -> (u64, u64) {
        let state = self.state.lock();
        let mut delays = (0, 0);
        for fault in &state.faults {
            match fault {
                Fault::DelayFinals { by_ms } => delays.0 = *by_ms,
                Fault::DelaySpeech { by_ms } => delays.1 = *by_ms,
                _ => {}
            }
        }
        delays
    }
}

fn remember<T>(all: &mut Vec<T>, one: T) {
    if all.len() == REMEMBERED {
        all.remove(0);
    }
    all.push(one);
}
