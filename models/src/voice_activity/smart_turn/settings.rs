//! The bounds of smart-turn.

use serde::{Deserialize, Serialize};

use crate::batching::WatchdogSettings;

/// How pauses are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Threads that judge; each judges a batch at a time.
    pub threads: usize,
    /// Pauses that may wait, those being judged included; a further one, or the latest of the tenant with the most of
    /// them, is refused, and its turn ends by the other signs.
    pub waiting_max: usize,
    /// Pauses judged in one pass.
    pub batch_max: usize,
    /// Pauses of a tenant in one turn of the round-robin.
    pub quantum: u32,
    /// When a pass is given up; of one with more pauses than a turn has, as many times these.
    pub watchdog: WatchdogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threads: 1, waiting_max: 64, batch_max: 4, quantum: 1, watchdog: WatchdogSettings::default() }
    }
}
