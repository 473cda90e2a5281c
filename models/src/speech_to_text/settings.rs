//! The bounds of streaming speech to text.

use serde::{Deserialize, Serialize};

use crate::step_loop::{Precision, Processor};

/// How a FastConformer hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the weights are: a `.nemo` file, or a folder with `config.json`, `tokenizer.json` and
    /// `model.safetensors`; relative to `node.data`. Empty where there are none.
    pub model: String,
    /// Where it works things out: `auto` (the first GPU in a program built for GPUs), `cpu`, or `cuda:0` for the first
    /// GPU.
    pub processor: Processor,
    /// How precise it is: `f32`, or `bf16`, which is for GPUs.
    pub precision: Precision,
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
    /// Whether a busy engine makes its chunks longer, those of new callers first, as far as the model was trained for it:
    /// it then hears more callers, and answers them later.
    pub longer_when_busy: bool,
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
    /// How often the running engine hears a known reading, in seconds; 0 for never. One that makes other words of it
    /// than at its start is built again.
    pub canary_seconds: u32,
    /// How long the start waits for the model to be loaded and tried, in milliseconds.
    pub ready_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: String::new(),
            processor: Processor::Auto,
            precision: Precision::F32,
            sessions: 16,
            busy_percent: 70,
            ring_ms: 1_000,
            lookahead_frames: 1,
            longer_when_busy: true,
            behind_ms: 400,
            flush_ms: 320,
            turn_seconds: 120,
            answer_ms: 5_000,
            canary_seconds: 60,
            ready_ms: 120_000,
        }
    }
}

impl Settings {
    /// Of the lookaheads that a model was trained for, the one to use: `pace` longer than set, the longest with too
    /// much audio waiting.
    #[must_use]
    pub fn lookahead(&self, trained: &[usize], waiting_ms: u64, pace: usize) -> usize {
        if waiting_ms > u64::from(self.behind_ms) {
            return trained.iter().max().copied().unwrap_or(0);
        }
        let paces = self.lookaheads(trained);
        paces.get(pace).or(paces.last()).copied().unwrap_or(0)
    }

    /// The lookaheads by pace: the one nearest to what is set, then the longer ones, ascending.
    #[must_use]
    pub fn lookaheads(&self, trained: &[usize]) -> Vec<usize> {
        let set = trained.iter().min_by_key(|frames| frames.abs_diff(self.lookahead_frames));
        let mut paces: Vec<usize> = trained.iter().copied().filter(|frames| Some(frames) >= set).collect();
        paces.sort_unstable();
        paces.dedup();
        paces.truncate(if self.longer_when_busy { paces.len() } else { 1 });
        paces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_when_the_engine_is_busy_or_behind() {
        let settings = Settings::default();
        assert_eq!(settings.lookahead(&[13, 6, 1, 0], 160, 0), 1);
        assert_eq!(settings.lookahead(&[13, 6, 1, 0], 401, 0), 13);
        assert_eq!(Settings { lookahead_frames: 5, ..settings.clone() }.lookahead(&[13, 6, 0], 0, 0), 6);
        assert_eq!(settings.lookaheads(&[13, 6, 1, 0]), [1, 6, 13]);
        for (pace, lookahead) in [(1, 6), (2, 13), (3, 13)] {
            assert_eq!(settings.lookahead(&[13, 6, 1, 0], 160, pace), lookahead);
        }
        assert_eq!(settings.lookahead(&[1, 0], 160, 5), 1, "it knows no longer one");
        let steady = Settings { longer_when_busy: false, ..settings };
        assert_eq!(
            (steady.lookaheads(&[13, 6, 1, 0]), steady.lookahead(&[13, 6, 1, 0], 401, 2)),
            (vec![1], 13)
        );
    }
}
