//! What request loops measure, by engine.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Requests worked out.
pub const WORKED: &str = "strowger_requests_worked_total";
/// Requests whose deadline passed before their turn.
pub const LATE: &str = "strowger_requests_late_total";
/// Requests that were refused, by reason: the engine was full or hangs, they would have been late, or another tenant with
/// a shorter line took their place.
pub const REFUSED: &str = "strowger_requests_refused_total";
/// Requests that wait for their turn.
pub const WAITING: &str = "strowger_requests_waiting";
/// Time of a pass over requests, in seconds.
pub const PASS_SECONDS: &str = "strowger_requests_pass_seconds";
/// Requests of a pass.
pub const PASS_REQUESTS: &str = "strowger_requests_pass";
/// Passes that took too long.
pub const STALLS: &str = "strowger_requests_stalls_total";
/// Passes that were given up, and engines that took too long to be made anew.
pub const GIVEN_UP: &str = "strowger_requests_given_up_total";
/// Engines made anew on another thread.
pub const REBUILDS: &str = "strowger_requests_rebuilds_total";
/// Threads that hang and were left alone.
pub const HANGING: &str = "strowger_requests_hanging";
/// Whether the engine takes requests: 1 or 0.
pub const READY: &str = "strowger_requests_ready";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(WORKED, "requests that an engine worked out; the same of several callers is one");
    describe_counter!(LATE, "requests whose deadline passed before their turn");
    describe_counter!(REFUSED, "requests that an engine refused, by reason");
    describe_gauge!(WAITING, "requests that wait for an engine");
    describe_histogram!(PASS_SECONDS, "seconds of a pass over requests");
    describe_histogram!(PASS_REQUESTS, "requests of a pass");
    describe_counter!(STALLS, "passes over requests that took too long");
    describe_counter!(GIVEN_UP, "passes over requests that hung and were given up");
    describe_counter!(REBUILDS, "engines made anew after one hung");
    describe_gauge!(HANGING, "threads of an engine that hang and were left alone");
    describe_gauge!(READY, "whether an engine takes requests");
}

pub(super) fn count_stalls(engine: &'static str, passes: usize) {
    if passes > 0 {
        counter!(STALLS, "engine" => engine).increment(passes as u64);
    }
}

pub(super) fn count_given_up(engine: &'static str, passes: usize) {
    if passes > 0 {
        counter!(GIVEN_UP, "engine" => engine).increment(passes as u64);
    }
}

pub(super) fn count_rebuild(engine: &'static str) {
    counter!(REBUILDS, "engine" => engine).increment(1);
}

pub(super) fn set_health(engine: &'static str, is_ready: bool, hanging: usize) {
    gauge!(READY, "engine" => engine).set(f64::from(u8::from(is_ready)));
    gauge!(HANGING, "engine" => engine).set(hanging as f64);
}

pub(super) fn record_pass(engine: &'static str, requests: usize, took: Duration) {
    counter!(WORKED, "engine" => engine).increment(requests as u64);
    histogram!(PASS_SECONDS, "engine" => engine).record(took.as_secs_f64());
    histogram!(PASS_REQUESTS, "engine" => engine).record(requests as f64);
}

pub(super) fn count_late(engine: &'static str, requests: usize) {
    if requests > 0 {
        counter!(LATE, "engine" => engine).increment(requests as u64);
    }
}

pub(super) fn count_refused(engine: &'static str, why: &'static str, requests: usize) {
    if requests > 0 {
        counter!(REFUSED, "engine" => engine, "why" => why).increment(requests as u64);
    }
}

pub(super) fn set_waiting(engine: &'static str, requests: usize) {
    gauge!(WAITING, "engine" => engine).set(requests as f64);
}
