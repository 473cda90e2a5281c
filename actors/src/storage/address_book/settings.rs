//! Bounds of the address book.

use serde::{Deserialize, Serialize};

/// Bounds of the businesses that a node knows without its store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The most businesses. Beyond it those that were not called for the longest time are forgotten.
    pub businesses_max: usize,
    /// The most bytes of them all.
    pub bytes_max: usize,
    /// How often all of them are read from the store again, in seconds.
    pub refresh_s: u64,
    /// The wait before that is tried again where the store does not answer, in seconds.
    pub retry_s: u64,
    /// How long a change waits before the file is written, in milliseconds.
    pub write_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { businesses_max: 10_000, bytes_max: 64 << 20, refresh_s: 300, retry_s: 15, write_ms: 2_000 }
    }
}
