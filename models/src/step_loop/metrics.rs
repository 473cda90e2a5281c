//! What step loops measure, by engine.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::Failure;
use crate::batching::Refusal;

/// Time of a step, in seconds.
pub const STEP_SECONDS: &str = "strowger_step_seconds";
/// Rows of a step.
pub const STEP_ROWS: &str = "strowger_step_rows";
/// Time from an input to its output, in seconds.
pub const ANSWER_SECONDS: &str = "strowger_step_answer_seconds";
/// Outputs beyond their deadline.
pub const LATE: &str = "strowger_step_late_total";
/// Inputs that a full stream refused or forgot.
pub const OVERFLOWS: &str = "strowger_step_overflows_total";
/// Open streams.
pub const STREAMS: &str = "strowger_step_streams";
/// Streams refused, by reason.
pub const REFUSALS: &str = "strowger_step_refusals_total";
/// Steps that failed, by kind.
pub const FAILURES: &str = "strowger_step_failures_total";
/// Models built again.
pub const REBUILDS: &str = "strowger_step_rebuilds_total";
/// Steps that took too long.
pub const STALLS: &str = "strowger_step_stalls_total";
/// How long the oldest unanswered input has waited, in seconds.
pub const LAG_SECONDS: &str = "strowger_step_lag_seconds";
/// Whether the engine takes streams: 1 or 0.
pub const READY: &str = "strowger_step_ready";

/// Canaries of a running engine, by whether they were right.
pub const CANARIES: &str = "strowger_step_canaries_total";
/// The pace of a model's streams: 0 as set, more where a busy engine asks for longer pieces.
pub const PACE: &str = "strowger_step_pace";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_histogram!(STEP_SECONDS, "seconds of a model's step");
    describe_histogram!(STEP_ROWS, "rows of a model's step");
    describe_histogram!(ANSWER_SECONDS, "seconds from an input to its output");
    describe_counter!(LATE, "outputs beyond their deadline");
    describe_counter!(OVERFLOWS, "inputs that a full stream refused or forgot");
    describe_gauge!(STREAMS, "open streams of a model");
    describe_counter!(REFUSALS, "streams that a model had no room for, by reason");
    describe_counter!(FAILURES, "model steps that failed, by kind");
    describe_counter!(REBUILDS, "models built again after a failure");
    describe_counter!(STALLS, "model steps that took too long");
    describe_gauge!(LAG_SECONDS, "how long the oldest unanswered input has waited");
    describe_counter!(CANARIES, "canaries of a running model, by whether they were right");
    describe_gauge!(PACE, "how much longer pieces than set a busy model asks its streams for, in steps");
    describe_gauge!(READY, "whether the model takes streams");
}

pub(super) fn record_step(engine: &'static str, rows: usize, took: Duration) {
    histogram!(STEP_SECONDS, "engine" => engine).record(took.as_secs_f64());
    histogram!(STEP_ROWS, "engine" => engine).record(rows as f64);
}

pub(super) fn record_answer(engine: &'static str, waited: Duration, late: bool) {
    histogram!(ANSWER_SECONDS, "engine" => engine).record(waited.as_secs_f64());
    if late {
        counter!(LATE, "engine" => engine).increment(1);
    }
}

pub(super) fn count_overflow(engine: &'static str) {
    counter!(OVERFLOWS, "engine" => engine).increment(1);
}

pub(super) fn set_streams(engine: &'static str, streams: usize) {
    gauge!(STREAMS, "engine" => engine).set(streams as f64);
}

pub(super) fn count_refusal(engine: &'static str, refusal: Refusal) {
    let reason = match refusal {
        Refusal::NotReady => "not_ready",
        Refusal::NoSlot { .. } => "no_slot",
        Refusal::NoTime { .. } => "no_time",
        Refusal::TenantFull { .. } => "tenant_full",
    };
    counter!(REFUSALS, "engine" => engine, "reason" => reason).increment(1);
}

pub(super) fn count_failure(engine: &'static str, failure: &Failure) {
    let kind = match failure {
        Failure::NotFinite { .. } => "not_finite",
        Failure::OutOfMemory { .. } => "out_of_memory",
        Failure::Failed { .. } => "failed",
    };
    counter!(FAILURES, "engine" => engine, "kind" => kind).increment(1);
}

pub(super) fn count_rebuild(engine: &'static str) {
    counter!(REBUILDS, "engine" => engine).increment(1);
}

pub(super) fn count_stall(engine: &'static str) {
    counter!(STALLS, "engine" => engine).increment(1);
}

pub(super) fn set_health(engine: &'static str, ready: bool, lag: Duration) {
    gauge!(READY, "engine" => engine).set(f64::from(u8::from(ready)));
    gauge!(LAG_SECONDS, "engine" => engine).set(lag.as_secs_f64());
}

pub(super) fn count_canary(engine: &'static str, right: bool) {
    let answer = if right { "right" } else { "wrong" };
    counter!(CANARIES, "engine" => engine, "answer" => answer).increment(1);
}

pub(super) fn set_pace(engine: &'static str, pace: usize) {
    gauge!(PACE, "engine" => engine).set(pace as f64);
}
