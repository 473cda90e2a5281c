//! The names of the store's metrics. No label tells a call, a tenant or a person.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How long a batch of writes took from its first change to its sync, in seconds.
pub const COMMIT_SECONDS: &str = "strowger_storage_commit_seconds";
/// Writes in one commit.
pub const BATCH_SIZE: &str = "strowger_storage_batch_writes";
/// Writes that wait for the writer.
pub const QUEUE_DEPTH: &str = "strowger_storage_queue_writes";
/// Writes that failed, by `kind`: `queue_full`, `writer_gone`, `write`, `commit` or `corrupt`.
pub const ERRORS: &str = "strowger_storage_errors_total";
/// Sealed bytes of recordings.
pub const RECORDING_BYTES: &str = "strowger_recording_bytes_total";
/// Segments of recordings, by `outcome`: `kept` or `lost`.
pub const RECORDING_SEGMENTS: &str = "strowger_recording_segments_total";
/// Samples that were heard and not kept.
pub const RECORDING_LOST_SAMPLES: &str = "strowger_recording_lost_samples_total";
/// Sealed bytes that wait for a store over the network.
pub const SPOOL_BYTES: &str = "strowger_recording_spool_bytes";
/// Segments that were to leave the spool, by `outcome`: `sent` or `failed` (and tried again).
pub const SPOOL_SEGMENTS: &str = "strowger_recording_spool_segments_total";
/// How long requests to the store of recordings took, their retries included, in seconds, by `operation`: `put`,
/// `get`, `range`, `head`, `list` or `delete`; and by `outcome`: `done`, `missing` or `failed`.
pub const OBJECT_SECONDS: &str = "strowger_recording_object_seconds";
/// Recordings that were to become one object, by `outcome`: `merged` or `failed` (and tried again).
pub const RECORDINGS_MERGED: &str = "strowger_recordings_merged_total";
/// How long merging a recording took, in seconds.
pub const MERGE_SECONDS: &str = "strowger_recording_merge_seconds";
/// Rows that retention or an erasure removed, by `kind`: `call`, `recording`, `booking`, `message` or `other`.
pub const ERASED_ROWS: &str = "strowger_erased_rows_total";
/// Rounds of the retention sweep, by `outcome`: `done` or `failed`.
pub const SWEEPS: &str = "strowger_retention_sweeps_total";
/// Recordings under way.
pub const RECORDINGS_LIVE: &str = "strowger_recordings_live";
/// Writes that wait in the journal for the store.
pub const JOURNAL_ROWS: &str = "strowger_storage_journal_writes";
/// Their bytes.
pub const JOURNAL_BYTES: &str = "strowger_storage_journal_bytes";
/// How long the oldest of them has waited, in seconds.
pub const JOURNAL_OLDEST: &str = "strowger_storage_journal_oldest_seconds";
/// Writes that the store did not take and the journal did.
pub const JOURNAL_KEPT: &str = "strowger_storage_journal_kept_total";
/// Writes of the journal that the store has taken.
pub const JOURNAL_WRITTEN: &str = "strowger_storage_journal_written_total";
/// Rounds of writing in which the store did not take something.
pub const JOURNAL_RETRIED: &str = "strowger_storage_journal_retried_total";
/// Writes that the journal did not keep, by `kind`: `rows`, `bytes` or `age` where it is full, `row_bytes` where
/// one is too large, `disk`, `shape`, and `store` where the store refuses for good what was kept.
pub const JOURNAL_REFUSED: &str = "strowger_storage_journal_refused_total";
/// Whether the store of a journal is away: 1 where it is.
pub const STORE_AWAY: &str = "strowger_storage_away";
/// Businesses that the node knows without its store.
pub const ADDRESS_BOOK_BUSINESSES: &str = "strowger_address_book_businesses";
/// How long ago the store told of that one of them of which it has told for the longest time, in seconds.
pub const ADDRESS_BOOK_AGE: &str = "strowger_address_book_age_seconds";
/// Calls for which the store did not answer and the address book did.
pub const ADDRESS_BOOK_USED: &str = "strowger_address_book_used_total";

/// Describes them to the recorder; called once by the node.
pub fn describe() {
    describe_gauge!(STORE_AWAY, "1 while the store does not take writes");
    describe_gauge!(ADDRESS_BOOK_BUSINESSES, "businesses known without the store");
    describe_gauge!(ADDRESS_BOOK_AGE, "how old the oldest of what is known without the store is");
    describe_counter!(ADDRESS_BOOK_USED, "calls answered by what is known without the store");
    super::coordination::metrics::describe();
    describe_histogram!(COMMIT_SECONDS, "from a batch's first change to its sync");
    describe_histogram!(BATCH_SIZE, "writes in one commit");
    describe_gauge!(QUEUE_DEPTH, "writes that wait for the writer");
    describe_counter!(ERRORS, "writes that failed, by kind");
    describe_counter!(RECORDING_BYTES, "sealed bytes of recordings");
    describe_counter!(RECORDING_SEGMENTS, "segments of recordings, by outcome");
    describe_counter!(RECORDING_LOST_SAMPLES, "samples that were heard and not kept");
    describe_gauge!(JOURNAL_ROWS, "writes that wait in the journal for the store");
    describe_gauge!(JOURNAL_BYTES, "bytes of writes that wait in the journal");
    describe_gauge!(JOURNAL_OLDEST, "how long the journal's oldest write has waited");
    describe_counter!(JOURNAL_KEPT, "writes that the journal kept in the store's place");
    describe_counter!(JOURNAL_WRITTEN, "writes of the journal that the store has taken");
    describe_counter!(JOURNAL_RETRIED, "rounds of writing in which the store did not take something");
    describe_counter!(JOURNAL_REFUSED, "writes that the journal did not keep, by kind");
    describe_histogram!(OBJECT_SECONDS, "requests to the store of recordings, by operation and outcome");
    describe_gauge!(SPOOL_BYTES, "sealed bytes that wait for a store over the network");
    describe_counter!(SPOOL_SEGMENTS, "segments that were to leave the spool, by outcome");
    describe_counter!(RECORDINGS_MERGED, "recordings that were to become one object, by outcome");
    describe_histogram!(MERGE_SECONDS, "merging a recording's segments");
    describe_counter!(ERASED_ROWS, "rows that retention or an erasure removed, by kind");
    describe_counter!(SWEEPS, "rounds of the retention sweep, by outcome");
    describe_gauge!(RECORDINGS_LIVE, "recordings under way");
}
