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
    /// Whether the caller and the person, once they speak, are asked to do so without us (REFER with Replaces): their
    /// audio then goes by here no more, and nobody comes back to a caller whom the person leaves. Where either side
    /// can't do that, they go on by way of us.
    pub leave_path: bool,
    /// How long that may take.
    pub leaving_ms_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_ms: 25_000,
            telling_ms_max: 20_000,
            asking_ms_max: 8_000,
            leave_path: false,
            leaving_ms_max: 45_000,
        }
    }
}
