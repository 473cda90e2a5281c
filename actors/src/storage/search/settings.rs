//! Bounds of the search.

use serde::{Deserialize, Serialize};

/// Bounds of the search over transcripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether transcripts are indexed and can be searched.
    pub on: bool,
    /// The longest time from a call's end until it can be found, in milliseconds: the time between two commits.
    pub commit_ms: u64,
    /// Calls that may wait to be indexed after their end; a further one is left to the next sweep.
    pub queue_max: usize,
    /// The time between two sweeps for calls that were missed, in seconds.
    pub sweep_s: u64,
    /// How late the first row of a call may come into the store and still be seen by every sweep, in seconds.
    pub late_s: u64,
    /// Calls that a sweep reads at once.
    pub page_calls: usize,
    /// How long the store may take to answer the indexer, in milliseconds.
    pub read_ms: u64,
    /// The wait before what failed is tried again, in milliseconds.
    pub retry_ms: u64,
    /// Memory for calls that are not committed yet, in bytes; at least 15,000,000.
    pub writer_bytes: usize,
    /// The most of a call's words that is indexed, in bytes; what is said after that can't be found.
    pub call_bytes_max: usize,
    /// The longest question, in bytes.
    pub question_bytes_max: usize,
    /// The most words and phrases in a question.
    pub clauses_max: usize,
    /// The most calls in one answer.
    pub hits_max: usize,
    /// How far down a list by relevance can be read, in calls.
    pub best_max: usize,
    /// Questions that are answered at once; further ones wait.
    pub questions_at_once: usize,
    /// How long an answer may take, in milliseconds.
    pub find_ms: u64,
    /// How long forgetting may take to rewrite the files, in milliseconds.
    pub forget_ms: u64,
    /// How long stopping may go on to index calls that have just ended, in milliseconds.
    pub stop_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            on: true,
            commit_ms: 2_000,
            queue_max: 4_096,
            sweep_s: 300,
            late_s: 900,
            page_calls: 256,
            read_ms: 5_000,
            retry_ms: 5_000,
            writer_bytes: 32_000_000,
            call_bytes_max: 1 << 20,
            question_bytes_max: 1_000,
            clauses_max: 32,
            hits_max: 200,
            best_max: 1_000,
            questions_at_once: 4,
            find_ms: 5_000,
            forget_ms: 30_000,
            stop_ms: 5_000,
        }
    }
}
