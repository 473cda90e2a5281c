//! `/metrics`, and the gateway's own.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::Parts;

/// Requests answered, by path and status.
pub const REQUESTS: &str = "strowger_http_requests_total";

/// How long answers took.
pub const ANSWER_SECONDS: &str = "strowger_http_answer_seconds";

/// Describes the gateway's metrics.
pub fn describe() {
    metrics::describe_counter!(REQUESTS, "HTTP requests answered, by path and status");
    metrics::describe_histogram!(
        ANSWER_SECONDS,
        metrics::Unit::Seconds,
        "How long HTTP answers took, by path"
    );
}

pub(super) fn count(path: &str, status: StatusCode, took: Duration) {
    let path = path.to_owned();
    metrics::counter!(REQUESTS, "path" => path.clone(), "status" => status.as_str().to_owned()).increment(1);
    metrics::histogram!(ANSWER_SECONDS, "path" => path).record(took.as_secs_f64());
}

/// The version of the Prometheus text format.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn show(State(parts): State<Parts>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], (parts.render_metrics)())
}
