//! The bounds of embeddings.

use serde::{Deserialize, Serialize};

use crate::batching::WatchdogSettings;
use crate::step_loop::Processor;

/// How texts are embedded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where it works things out: `auto` (the first GPU in a program built for GPUs), `cpu`, or `cuda:0` for the first
    /// GPU.
    pub processor: Processor,
    /// Texts that may wait, those being embedded included; a request that would exceed it is refused, or the latest of
    /// the tenant with the most of them.
    pub waiting_max: usize,
    /// Texts in one forward pass.
    pub batch_max: usize,
    /// How long a text waits for others, in milliseconds.
    pub gather_ms: u64,
    /// Texts of a tenant in one turn of the round-robin.
    pub quantum: u32,
    /// Word pieces of a text that are read; the model was trained with 256.
    pub word_pieces_max: usize,
    /// Characters of a text that are read at all.
    pub characters_max: usize,
    /// When a forward pass is given up; of one with more texts than a turn has, as many times these.
    pub watchdog: WatchdogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            processor: Processor::Auto,
            waiting_max: 4_096,
            batch_max: 32,
            gather_ms: 2,
            quantum: 8,
            word_pieces_max: 256,
            characters_max: 4_000,
            watchdog: WatchdogSettings::default(),
        }
    }
}
