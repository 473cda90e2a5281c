//! What embedding measures.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Texts embedded.
pub const TEXTS: &str = "strowger_embeddings_texts_total";
/// Texts whose deadline passed before their turn.
pub const LATE: &str = "strowger_embeddings_late_total";
/// Texts that wait.
pub const WAITING: &str = "strowger_embeddings_queue";
/// Time of a forward pass, in seconds.
pub const PASS_SECONDS: &str = "strowger_embeddings_pass_seconds";
/// Texts of a forward pass.
pub const PASS_TEXTS: &str = "strowger_embeddings_pass_texts";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(TEXTS, "texts embedded");
    describe_counter!(LATE, "texts whose deadline passed before they were embedded");
    describe_gauge!(WAITING, "texts that wait to be embedded");
    describe_histogram!(PASS_SECONDS, "seconds of a forward pass over texts");
    describe_histogram!(PASS_TEXTS, "texts of a forward pass");
}

pub(super) fn record_pass(texts: usize, took: Duration) {
    counter!(TEXTS).increment(texts as u64);
    histogram!(PASS_SECONDS).record(took.as_secs_f64());
    histogram!(PASS_TEXTS).record(texts as f64);
}

pub(super) fn count_late(texts: usize) {
    counter!(LATE).increment(texts as u64);
}

pub(super) fn set_waiting(texts: usize) {
    gauge!(WAITING).set(texts as f64);
}
