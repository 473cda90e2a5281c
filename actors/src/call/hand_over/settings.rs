//! Waits of a hand-over.

use serde::{Deserialize, Serialize};

/// How patiently callers are handed over to people, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the person's telephone may ring.
    pub ring_ms: u64,
    /// How long telling may take.
    pub telling_ms_max: u64,
    /// How long the person may take to press a key, once all was said.
    pub asking_ms_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ring_ms: 25_000, telling_ms_max: 20_000, asking_ms_max: 8_000 }
    }
}
