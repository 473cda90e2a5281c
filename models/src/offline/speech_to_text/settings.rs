//! The bounds of the recogniser.

use serde::{Deserialize, Serialize};

/// How pocketsphinx is run. The defaults serve a small business's calls on a small machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Decoders, each on a thread of its own and shared by all calls; 0 for one per core but one.
    pub decoders: usize,
    /// Sessions open at once; one more is refused. A decoder understands about ten callers who speak at once.
    pub sessions: usize,
    /// The longest turn that is understood, in seconds; what is said after that is not heard.
    pub turn_seconds: u32,
    /// Audio that a session's ring holds, in milliseconds; it is emptied every 20 ms.
    pub ring_ms: u32,
    /// A finished turn that waits longer for its words fails, in milliseconds.
    pub answer_ms: u64,
    /// Businesses whose language models are kept, about 10 MB each. The least recently called goes first.
    pub businesses: usize,
    /// Businesses that each decoder keeps loaded, about 20 MB each.
    pub businesses_per_decoder: usize,
    /// Phrases of a business that are used; more are left out.
    pub phrases: usize,
    /// The folder of the acoustic model (`en-us/`) and the dictionary (`cmudict-en-us.dict`); relative to
    /// `node.data`.
    pub model_folder: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            decoders: 0,
            sessions: 1_000,
            turn_seconds: 30,
            ring_ms: 500,
            answer_ms: 10_000,
            businesses: 32,
            businesses_per_decoder: 4,
            phrases: 1_000,
            model_folder: "/usr/share/pocketsphinx/model/en-us".into(),
        }
    }
}
