//! The bounds of batching.

use serde::{Deserialize, Serialize};

use super::Overload;

/// How one engine's rows are brought together. The defaults serve speech to text in steps of 80 ms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Inputs of one stream that may wait for a step.
    pub waiting_max: usize,
    /// What happens with one more.
    pub overload: Overload,
    /// How long a ready row waits for others, in milliseconds.
    pub gather_ms: u64,
    /// The part of the streams whose rows, once ready, are not kept waiting.
    pub gather_share: f32,
    /// The latest deadline that an input may have, in milliseconds after it came; later ones are brought forward.
    /// This keeps a patient stream from starving.
    pub deadline_ms_max: u64,
    /// Inputs that a stream gave to the model and holds, to give them again to a model that was rebuilt. 70 of
    /// 80 ms are the left context of a cache-aware FastConformer; 0 where a stream can't go on anyway.
    pub held_max: usize,
    /// Rows that a tenant of weight 1 may have in one turn of the round-robin.
    pub quantum: u32,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            waiting_max: 5,
            overload: Overload::Refuse,
            gather_ms: 8,
            gather_share: 0.5,
            deadline_ms_max: 1_000,
            held_max: 70,
            quantum: 4,
        }
    }
}

/// How requests of one engine are brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSettings {
    /// Requests without an answer, those being worked on included.
    pub unanswered_max: usize,
    /// Requests of one pass.
    pub batch_max: usize,
    /// How long a request waits for others, in milliseconds.
    pub gather_ms: u64,
    /// What a tenant may spend in one turn of the round-robin, in the engine's unit of cost.
    pub quantum: u32,
    /// Passes at the same time.
    pub passes_max: usize,
    /// Passes that are measured; older ones are forgotten.
    pub passes_kept: usize,
    /// When a pass is given up.
    pub watchdog: WatchdogSettings,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self {
            unanswered_max: 256,
            batch_max: 1,
            gather_ms: 0,
            quantum: 1,
            passes_max: 1,
            passes_kept: 64,
            watchdog: WatchdogSettings::default(),
        }
    }
}

/// When a pass over requests is given up, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchdogSettings {
    /// A pass that takes longer stalls, in milliseconds, and as many times that as it costs a tenant's turns: where no
    /// other thread is free of it, new requests are refused until it is over.
    pub stall_ms: u64,
    /// A pass that takes longer hangs, counted alike: whoever waits for it is told so, and its thread is left alone. The
    /// engine is made anew on another; where none was left, everybody who waits is told.
    pub give_up_ms: u64,
    /// Making the engine anew is given up after this time, in milliseconds.
    pub build_ms: u64,
    /// The wait before an engine that hung or could not be made is made anew, in milliseconds; none the first time,
    /// doubled each further time without a pass that came to an end.
    pub rebuild_ms: u64,
    /// The longest such wait, in milliseconds.
    pub rebuild_ms_max: u64,
    /// While so many threads hang that were left alone, no engine is made anew: each keeps its memory.
    pub given_up_max: usize,
}

impl Default for WatchdogSettings {
    fn default() -> Self {
        Self {
            stall_ms: 1_000,
            give_up_ms: 5_000,
            build_ms: 60_000,
            rebuild_ms: 100,
            rebuild_ms_max: 10_000,
            given_up_max: 4,
        }
    }
}

/// How many streams the engines of one device take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionSettings {
    /// The part of its time that the device may be busy if all streams are ready at once. The rest is for what is
    /// slower than 99 of 100 steps, and for the work that is not streams.
    pub share_max: f32,
    /// Streams that one tenant may have on the device.
    pub tenant_streams_max: usize,
    /// Steps of each size that are measured; older ones are forgotten.
    pub steps_kept: usize,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self { share_max: 0.7, tenant_streams_max: 1_000, steps_kept: 256 }
    }
}

/// When an engine's streams bring longer pieces to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaceSettings {
    /// Steps that take more of their rows' period than this make the pieces longer, in percent.
    pub longer_percent: u32,
    /// Steps that would take less of the shorter pieces' period than this make them shorter again, in percent.
    pub shorter_percent: u32,
    /// Steps that are looked at.
    pub steps: usize,
    /// The least time between two changes, in milliseconds.
    pub hold_ms: u64,
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self { longer_percent: 60, shorter_percent: 45, steps: 16, hold_ms: 2_000 }
    }
}
