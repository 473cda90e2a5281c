//! What request loops measure, by engine.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Requests worked out.
pub const WORKED: &str = "strowger_requests_worked_total";
/// Requests whose deadline passed before their turn.
pub const LATE: &str = "strowger_requests_late_total";
/// Requests that were refused, by reason: the engine was full, they would have been late, or another tenant with a
/// shorter line took their place.
pub const REFUSED: &str = "strowger_requests_refused_total";
/// Requests that wait for their turn.
pub const WAITING: &str = "strowger_requests_waiting";
/// Time of a pass over requests, in seconds.
pub const PASS_SECONDS: &str = "strowger_requests_pass_seconds";
/// Requests of a pass.
pub const PASS_REQUESTS: &str = "strowger_requests_pass";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(WORKED, "requests that an engine worked out; the same of several callers is one");
    describe_counter!(LATE, "requests whose deadline passed before their turn");
    describe_counter!(REFUSED, "requests that an engine refused, by reason");
    describe_gauge!(WAITING, "requests that wait for an engine");
    describe_histogram!(PASS_SECONDS, "seconds of a pass over requests");
    describe_histogram!(PASS_REQUESTS, "requests of a pass");
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
