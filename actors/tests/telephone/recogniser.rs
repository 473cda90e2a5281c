//! A recogniser and a voice activity detector as engines are: each word is known a little after it was said.

use actors::call::conversation::Input;

use super::{Happening, Telephone};

/// How long voice activity takes to be decided, each way.
const ONSET_MS: u64 = 100;
const HANG_OVER_MS: u64 = 200;
/// How long after a word it shows up in the partial words.
const PARTIAL_MS: u64 = 150;
/// How long the final words take.
const FINAL_MS: u64 = 200;
/// How long it takes to judge how a pause sounds.
pub(super) const JUDGE_MS: u64 = 120;
/// How long it usually takes to open another recogniser.
pub(crate) const RESTORE_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) struct Recogniser {
    /// The words of the turn so far.
    words: Vec<String>,
    turn: u64,
    sounding: bool,
    dead: bool,
}

impl Recogniser {
    pub(super) const fn is_sounding(&self) -> bool {
        self.sounding
    }
}

impl Telephone {
    pub(super) fn sound(&mut self) {
        self.recogniser.sounding = true;
        self.after(ONSET_MS, Happening::Input(Input::SpeechStarted));
    }

    pub(super) fn hush(&mut self) {
        self.recogniser.sounding = false;
        self.last_sound = self.now;
        self.after(HANG_OVER_MS, Happening::Input(Input::SpeechStopped));
    }

    pub(super) fn word(&mut self, word: String) {
        if self.recogniser.dead || self.faults.deaf {
            return;
        }
        self.recogniser.words.push(word);
        self.after(PARTIAL_MS, Happening::Partial);
    }

    pub(super) fn partial(&mut self) {
        if self.recogniser.dead || self.recogniser.words.is_empty() {
            return;
        }
        let (turn, text) = (self.recogniser.turn, self.recogniser.words.join(" "));
        self.tell(Input::Partial { turn, text, confidence: 0.9 });
    }

    /// The recogniser has heard the end of the turn.
    pub(super) fn end_heard(&mut self, back_channel: bool) {
        if !self.recogniser.dead {
            self.tell(Input::EndHeard { turn: self.recogniser.turn, back_channel });
        }
    }

    /// Somebody judges how the pause sounds, or nobody does.
    pub(super) fn judge_pause(&mut self, pause: u64) {
        if let Some((finished, wait_ms)) = self.faults.sound() {
            self.after(wait_ms, Happening::Input(Input::PauseJudged { pause, finished }));
        }
    }

    pub(super) fn finish_turn(&mut self, turn: u64) {
        let words = std::mem::take(&mut self.recogniser.words);
        self.recogniser.turn = turn + 1;
        if !self.recogniser.dead {
            let (text, confidence) = (words.join(" "), if words.is_empty() { 0.0 } else { 0.9 });
            self.after(FINAL_MS, Happening::Input(Input::Final { turn, text, confidence }));
        }
    }

    /// The recogniser dies, and comes back after so long, or never.
    pub(crate) fn recogniser_dies(&mut self, restored_after_ms: Option<u64>) {
        self.recogniser.dead = true;
        self.recogniser.words.clear();
        self.queue.retain(|_, happening| {
            !matches!(happening, Happening::Partial | Happening::Input(Input::Final { .. }))
        });
        if let Some(ms) = restored_after_ms {
            self.after(ms, Happening::Restored);
        }
        self.tell(Input::RecogniserFailed);
    }

    pub(crate) fn restored(&mut self) {
        self.recogniser.dead = false;
        self.tell(Input::RecogniserRestored);
    }
}
