//! Bounds on calling back.

use serde::{Deserialize, Serialize};

/// How callers whom a business missed are called back; whether at all is the business's own rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether this node calls anybody back.
    pub enabled: bool,
    /// How long after the missed call its caller may still be called, in milliseconds.
    pub age_ms_max: u64,
    /// Calls that wait to be called back; of further ones nobody is called before the node starts again.
    pub waiting_max: usize,
    /// Missed calls of one business that are looked at when a node starts.
    pub looked_at_max: usize,
    /// How long the store may take for one answer, in milliseconds; then the call back is tried again later.
    pub store_ms: u64,
    /// When a call back is tried again that got no answer from the store, or found no trunk, in milliseconds.
    pub again_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            age_ms_max: 86_400_000,
            waiting_max: 1_000,
            looked_at_max: 1_000,
            store_ms: 3_000,
            again_ms: 60_000,
        }
    }
}
