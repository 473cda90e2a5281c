//! The names of the cluster store's metrics. No label tells a call, a tenant or a person.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How long an act took, its retries and waits included, in seconds, by `usage`: `read` and `write` while a caller
/// waits, `list`, `agreed`, `decided` or `compare`; and by `outcome`: `done` or `failed`.
pub const SECONDS: &str = "strowger_storage_cluster_seconds";
/// Acts under way.
pub const IN_FLIGHT: &str = "strowger_storage_cluster_in_flight";
/// How long requests took in all, in milliseconds, by `quantile`: `0.5`, `0.95`, `0.99` or `0.999`.
pub const LATENCY_MS: &str = "strowger_storage_cluster_latency_ms";
/// Connections to the cluster.
pub const CONNECTIONS: &str = "strowger_storage_cluster_connections";
/// Requests that the driver sent.
pub const REQUESTS: &str = "strowger_storage_cluster_requests_total";
/// Requests that failed.
pub const FAILURES: &str = "strowger_storage_cluster_failures_total";
/// Requests that the driver sent again by itself.
pub const DRIVER_RETRIES: &str = "strowger_storage_cluster_driver_retries_total";
/// Requests whose deadline passed.
pub const TIMEOUTS: &str = "strowger_storage_cluster_timeouts_total";
/// Connections that were not made in time.
pub const CONNECT_TIMEOUTS: &str = "strowger_storage_cluster_connect_timeouts_total";
/// Acts that the store tried again after a wait.
pub const RETRIES: &str = "strowger_storage_cluster_retries_total";
/// Acts that ended in doubt: the change may or may not have been made.
pub const UNKNOWN: &str = "strowger_storage_cluster_unknown_total";
/// Comparisons that another writer made fail, and that were decided anew.
pub const CONTENTION: &str = "strowger_storage_cluster_contention_total";
/// Sessions that were made anew because all of their connections stayed broken.
pub const SESSIONS_REBUILT: &str = "strowger_storage_cluster_sessions_rebuilt_total";

/// Describes them to the recorder; called once by the node.
pub fn describe() {
    describe_histogram!(SECONDS, "how long acts took, their retries included, by use and outcome");
    describe_gauge!(IN_FLIGHT, "acts under way");
    describe_gauge!(LATENCY_MS, "how long requests to the cluster take, by quantile");
    describe_gauge!(CONNECTIONS, "connections to the cluster");
    describe_counter!(REQUESTS, "requests that the driver sent");
    describe_counter!(FAILURES, "requests that failed");
    describe_counter!(DRIVER_RETRIES, "requests that the driver sent again by itself");
    describe_counter!(TIMEOUTS, "requests whose deadline passed");
    describe_counter!(CONNECT_TIMEOUTS, "connections that were not made in time");
    describe_counter!(RETRIES, "acts that were tried again after a wait");
    describe_counter!(UNKNOWN, "acts that ended in doubt");
    describe_counter!(CONTENTION, "comparisons that another writer made fail");
    describe_counter!(SESSIONS_REBUILT, "sessions that were made anew");
}
