//! How many calls a node takes and how it watches over them.

use serde::{Deserialize, Serialize};

/// Bounds of a node's calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Calls at once; the next one gets 503.
    pub calls_max: u32,
    /// When a caller that was sent away for that may try again, in seconds.
    pub retry_after_s: u32,
    /// How long a tenant's number and business are used before the store is asked whether they changed, in
    /// milliseconds. Where the store does not answer they are used on.
    pub refresh_ms: u64,
    /// How long a ringing call waits for the store, in milliseconds.
    pub look_up_ms: u64,
    /// How long it waits for the engines to keep a place for it, in milliseconds; then it gets 503.
    pub engines_ms: u64,
    /// How often each call is asked for a sign of life, in milliseconds.
    pub watch_ms: u64,
    /// How long it may take over it before it counts as hung and is ended, in milliseconds.
    pub hung_ms: u64,
    /// Calls of one business at once that go elsewhere because it has as many as it may, by its rules; the next one
    /// gets 486.
    pub beyond_limit_max: u32,
    /// Records of refused calls that are written per second; beyond it they are only counted, so that a scan of
    /// numbers doesn't fill the store.
    pub refusals_recorded_per_s: u32,
    /// How long stopping waits for the store to take what is still unwritten, in milliseconds.
    pub write_out_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            calls_max: 2_000,
            retry_after_s: 5,
            refresh_ms: 2_000,
            look_up_ms: 2_000,
            engines_ms: 1_500,
            watch_ms: 2_000,
            hung_ms: 5_000,
            beyond_limit_max: 5,
            refusals_recorded_per_s: 50,
            write_out_ms: 10_000,
        }
    }
}
