//! Bounds of the journal.

use serde::{Deserialize, Serialize};

/// Bounds of the journal of writes that a store on another machine could not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the store may take before a write is kept in the journal instead, in milliseconds.
    pub write_ms: u64,
    /// The most bytes of writes that wait. The file may take three times as much until it is written anew.
    pub bytes_max: u64,
    /// The most writes that wait.
    pub rows_max: usize,
    /// The largest write that is kept, in bytes.
    pub row_bytes_max: usize,
    /// How old the oldest write may be while further ones are kept, in seconds; beyond it the store's own error is
    /// given.
    pub age_max_s: u64,
    /// The most writes that wait for one sync of the file.
    pub queue_max: usize,
    /// How long the store may take to a write that is made later, in milliseconds.
    pub drain_write_ms: u64,
    /// Calls whose writes are made at the same time; those of one call are made one after the other.
    pub drain_calls: usize,
    /// The wait before writing is tried again, in milliseconds; doubled each time, and spread.
    pub retry_ms: u64,
    /// The longest such wait, in milliseconds.
    pub retry_max_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            write_ms: 800,
            bytes_max: 256 << 20,
            rows_max: 500_000,
            row_bytes_max: 4 << 20,
            age_max_s: 7 * 24 * 3_600,
            queue_max: 4_096,
            drain_write_ms: 5_000,
            drain_calls: 16,
            retry_ms: 100,
            retry_max_ms: 5_000,
        }
    }
}
