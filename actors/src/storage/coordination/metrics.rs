//! The names of the metrics of what nodes share. No label tells a call, a tenant or a person.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How long an operation took, its retries included, in seconds, by `operation`.
pub const SECONDS: &str = "strowger_coordination_seconds";
/// Operations that failed, by `operation` and `kind`: `unavailable`, `unknown` or `refused`.
pub const ERRORS: &str = "strowger_coordination_errors_total";
/// Tries that were repeated, by `operation`.
pub const RETRIES: &str = "strowger_coordination_retries_total";
/// Tries without an answer in time, by `operation`.
pub const TIMEOUTS: &str = "strowger_coordination_timeouts_total";
/// Scripts that the server had forgotten and was given again.
pub const SCRIPT_RELOADS: &str = "strowger_coordination_script_reloads_total";
/// Operations under way.
pub const IN_FLIGHT: &str = "strowger_coordination_in_flight";
/// Commands that the client has not sent yet.
pub const QUEUED: &str = "strowger_coordination_queued";
/// 1 while the server is connected, else 0.
pub const CONNECTED: &str = "strowger_coordination_connected";
/// Connections made, the first one included.
pub const CONNECTIONS: &str = "strowger_coordination_connections_total";
/// Clients that were made anew because the old one had lost its way.
pub const REBUILDS: &str = "strowger_coordination_rebuilds_total";
/// Hints that found a listener's queue full and were lost.
pub const HINTS_LOST: &str = "strowger_coordination_hints_lost_total";
/// Requests that a rate limit decided without the server, by `answer`: `allowed` or `limited`.
pub const RATE_LIMITED_ALONE: &str = "strowger_coordination_rate_limited_alone_total";

/// Describes them to the recorder.
pub fn describe() {
    describe_histogram!(SECONDS, "how long an operation took, its retries included");
    describe_counter!(ERRORS, "operations that failed, by operation and kind");
    describe_counter!(RETRIES, "tries that were repeated, by operation");
    describe_counter!(TIMEOUTS, "tries without an answer in time, by operation");
    describe_counter!(SCRIPT_RELOADS, "scripts that the server had forgotten");
    describe_gauge!(IN_FLIGHT, "operations under way");
    describe_gauge!(QUEUED, "commands that the client has not sent yet");
    describe_gauge!(CONNECTED, "1 while the server is connected");
    describe_counter!(CONNECTIONS, "connections made");
    describe_counter!(REBUILDS, "clients that were made anew");
    describe_counter!(HINTS_LOST, "hints that found a listener's queue full");
    describe_counter!(RATE_LIMITED_ALONE, "requests that a rate limit decided without the server");
}
