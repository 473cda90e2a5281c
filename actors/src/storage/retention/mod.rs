//! Keeping no longer than agreed, and erasing when asked: rows, keys and objects, each act written down in the
//! business's audit.

mod eraser;
mod index;
mod sweep;

use serde::{Deserialize, Serialize};

pub use eraser::{Done, Eraser, Error, Result};
pub use index::Index;
pub use sweep::{Swept, keep_sweeping};

/// Bounds of retention and erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether calls past their business's time are erased.
    pub enabled: bool,
    /// How long after one sweep the next begins, in seconds.
    pub every_s: u64,
    /// Calls that one sweep erases at most, of all businesses; the rest waits for the next.
    pub calls_max: usize,
    /// How long one request to erase a caller or a business works before it tells how far it came, in
    /// milliseconds; the command line then asks to go on. Less than `http.answer_timeout_ms`.
    pub work_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, every_s: 3_600, calls_max: 10_000, work_ms: 3_000 }
    }
}

#[cfg(test)]
mod tests;
