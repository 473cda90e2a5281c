//! The bounds of a voice.

use serde::{Deserialize, Serialize};

use crate::batching::WatchdogSettings;

/// How a voice is run. The defaults serve a node with a few hundred calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The voice for requests that name none; empty for the engine's own default.
    pub voice: String,
    /// Utterances that may wait to be spoken; one more is refused, or the latest of the tenant with the most of them.
    pub queued_requests: usize,
    /// Characters of a tenant in one turn of the round-robin between tenants.
    pub quantum: u32,
    /// Memory for finished clips, in bytes. The least recently used clip goes first.
    pub cache_bytes: usize,
    /// The longest text that is spoken, in characters; a longer one fails.
    pub text_characters: usize,
    /// When an utterance is given up; of one that is longer than a turn, as many times these.
    pub watchdog: WatchdogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            voice: String::new(),
            queued_requests: 256,
            quantum: 200,
            cache_bytes: 32 * 1024 * 1024,
            text_characters: 2_000,
            watchdog: WatchdogSettings::default(),
        }
    }
}
