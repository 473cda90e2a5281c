//! The bounds of a step loop.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::batching::{PaceSettings, ScheduleSettings};

/// How one model is driven. The defaults serve speech to text in steps of 80 ms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Streams at once, as many as the model must have slots.
    pub slots: usize,
    /// How often a stream brings a row, in milliseconds.
    pub period_ms: u64,
    /// How often it brings one at the slower paces that it can be asked for when the engine is busy, in milliseconds,
    /// ascending. None where its rows are always the same.
    pub slower_ms: Vec<u64>,
    /// When it is asked.
    pub pace: PaceSettings,
    /// How often a running engine is given its canary's song, in milliseconds; 0 for never.
    pub canary_ms: u64,
    /// How rows are brought together.
    pub schedule: ScheduleSettings,
    /// Steps of each size before the engine is ready. The first is not measured: it compiles and allocates.
    pub warm_up_steps: usize,
    /// An idle engine whose measurements leave no room for one stream measures again, at most so often, in
    /// milliseconds.
    pub measure_again_ms: u64,
    /// A step that takes longer stalls: the engine is not ready until it is done, in milliseconds.
    pub stall_ms: u64,
    /// An engine whose oldest input has waited so long takes no new streams, in milliseconds.
    pub lag_ms_max: u64,
    /// Streams of an engine that is stalled or being rebuilt end when their oldest input has waited so long, in
    /// milliseconds, so that they can be opened elsewhere.
    pub give_up_ms: u64,
    /// The wait before a model that failed is built again, in milliseconds; none the first time, doubled each
    /// further time.
    pub rebuild_ms: u64,
    /// The longest such wait, in milliseconds.
    pub rebuild_ms_max: u64,
    /// Failures in a row, without one good step, after which the streams end. The model is built again even so.
    pub failures_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: 64,
            period_ms: 80,
            slower_ms: Vec::new(),
            pace: PaceSettings::default(),
            canary_ms: 60_000,
            schedule: ScheduleSettings::default(),
            warm_up_steps: 4,
            measure_again_ms: 60_000,
            stall_ms: 1_000,
            lag_ms_max: 1_000,
            give_up_ms: 2_000,
            rebuild_ms: 100,
            rebuild_ms_max: 10_000,
            failures_max: 8,
        }
    }
}

impl Settings {
    /// The period of each pace.
    pub(super) fn periods(&self) -> Vec<Duration> {
        std::iter::once(&self.period_ms).chain(&self.slower_ms).copied().map(Duration::from_millis).collect()
    }
}
