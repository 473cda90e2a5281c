//! The bounds of streaming speech to text.

use serde::{Deserialize, Serialize};

/// How a FastConformer hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the weights are: a `.nemo` file, or a folder with `config.json`, `tokenizer.json` and
    /// `model.safetensors`. Empty where there are none.
    pub model: String,
    /// Callers heard at once; one more is refused. Each has some 5 MB in the 120M model and 14 MB in the larger one.
    pub sessions: usize,
    /// The part of its time that the engine may be busy if all callers speak, in percent of what it measured at its
    /// start; callers beyond are refused even where there is a place.
    pub busy_percent: u32,
    /// Audio that a session's ring holds, in milliseconds.
    pub ring_ms: u32,
    /// Frames of 80 ms that a chunk waits for after its first: fewer answer sooner, more hear better and cost
    /// less. The model must have been trained for it; the nearest that it was is taken.
    pub lookahead_frames: usize,
    /// Audio waiting for the model from which on its chunks are the longest there are, in milliseconds: an engine
    /// that is behind catches up at the price of a later answer.
    pub behind_ms: u32,
    /// Silence that follows a finished turn, in milliseconds: the model says a word some frames after it has heard
    /// it.
    pub flush_ms: u32,
    /// The longest turn, in seconds; what is said beyond is not heard.
    pub turn_seconds: u32,
    /// How long a turn may wait for its final words once it is finished, in milliseconds; then the session fails.
    pub answer_ms: u32,
    /// How long the start waits for the model to be loaded and tried, in milliseconds.
    pub ready_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: String::new(),
            sessions: 16,
            busy_percent: 70,
            ring_ms: 1_000,
            lookahead_frames: 1,
            behind_ms: 400,
            flush_ms: 320,
            turn_seconds: 120,
            answer_ms: 5_000,
            ready_ms: 120_000,
        }
    }
}

impl Settings {
    /// Of the lookaheads that a model was trained for, the one to use with so much audio waiting.
    #[must_use]
    pub fn lookahead(&self, trained: &[usize], waiting_ms: u64) -> usize {
        let nearest = || trained.iter().min_by_key(|frames| frames.abs_diff(self.lookahead_frames));
        let wanted = if waiting_ms > u64::from(self.behind_ms) { trained.iter().max() } else { nearest() };
        wanted.copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_when_the_engine_is_behind() {
        let settings = Settings::default();
        assert_eq!(settings.lookahead(&[13, 6, 1, 0], 160), 1);
        assert_eq!(settings.lookahead(&[13, 6, 1, 0], 401), 13);
        assert_eq!(Settings { lookahead_frames: 5, ..settings }.lookahead(&[13, 6, 0], 0), 6);
    }
}
