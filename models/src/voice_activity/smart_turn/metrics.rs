//! What judging pauses measures.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Pauses judged.
pub const JUDGED: &str = "strowger_pauses_judged_total";
/// Pauses whose deadline passed before they were judged.
pub const LATE: &str = "strowger_pauses_late_total";
/// Pauses that wait.
pub const WAITING: &str = "strowger_pauses_queue";
/// Time of a pass over pauses, features included, in seconds.
pub const PASS_SECONDS: &str = "strowger_pauses_pass_seconds";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(JUDGED, "callers' pauses judged by their sound");
    describe_counter!(LATE, "callers' pauses whose deadline passed before they were judged");
    describe_gauge!(WAITING, "callers' pauses that wait to be judged");
    describe_histogram!(PASS_SECONDS, "seconds of a pass over pauses");
}

pub(super) fn record_pass(pauses: usize, took: Duration) {
    counter!(JUDGED).increment(pauses as u64);
    histogram!(PASS_SECONDS).record(took.as_secs_f64());
}

pub(super) fn count_late(pauses: usize) {
    counter!(LATE).increment(pauses as u64);
}

pub(super) fn set_waiting(pauses: usize) {
    gauge!(WAITING).set(pauses as f64);
}
