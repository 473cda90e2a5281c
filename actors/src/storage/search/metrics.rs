//! The names of the search's metrics. No label tells a call, a tenant or a person.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// Calls put into the index.
pub const INDEXED: &str = "strowger_search_indexed_calls_total";
/// Calls that did not fit into the queue; the next sweep finds them.
pub const MISSED: &str = "strowger_search_missed_calls_total";
/// Calls that wait to be indexed.
pub const QUEUE_DEPTH: &str = "strowger_search_queue_calls";
/// How long a commit took, in seconds.
pub const COMMIT_SECONDS: &str = "strowger_search_commit_seconds";
/// How long an answer took, in seconds.
pub const FIND_SECONDS: &str = "strowger_search_find_seconds";
/// What failed, by `kind`: `store`, `index` or `panic`.
pub const ERRORS: &str = "strowger_search_errors_total";
/// Times the index was thrown away and built anew, by `why`: `asked` or `unreadable`.
pub const REBUILDS: &str = "strowger_search_rebuilds_total";

/// Describes them to the recorder; called once by the node.
pub fn describe() {
    describe_counter!(INDEXED, "calls put into the search index");
    describe_counter!(MISSED, "calls that did not fit into the indexer's queue");
    describe_gauge!(QUEUE_DEPTH, "calls that wait to be indexed");
    describe_histogram!(COMMIT_SECONDS, "a commit of the search index");
    describe_histogram!(FIND_SECONDS, "an answer of the search");
    describe_counter!(ERRORS, "failures of the search, by kind");
    describe_counter!(REBUILDS, "times the search index was built anew, by reason");
}
