//! Full-text search over what was said in calls, on tantivy. The only place that names tantivy.
//!
//! The index is derived: everything in it is read from the [`Storage`], and it can be thrown away and built anew at
//! any time. Nothing waits for it.
//!
//! ```text
//! call's end ─ bounded queue ─┐
//! every few minutes ── sweep ─┴▶ indexer's thread ─ commit by time ─▶ <data>/search/index
//! question ─▶ words + filters + the tenant, always ─▶ call ids ─▶ records and lines from the Storage
//! ```
//! **Nothing is missed.** The queue only makes calls searchable soon. A mark in time says up to where every call is
//! indexed; it is kept in the commit itself, so that index and mark are never apart. A sweep reads the calls of all
//! businesses back to the mark and then moves it; a call that still goes on holds it back, and so does one that did
//! not fit into the queue.
//!
//! **One index per node**, under its data directory, for all businesses of its store: one writer, one commit and one
//! merge for all, where an index per business would cost each its own files and threads. A business's share of a
//! query's cost is its own share of the index, for the tenant is a term. On a store that several nodes share, each
//! node's sweep also finds the calls of the others, after at most `sweep_s`.
//!
//! **Personal data.** The words lie in the index's files, in a folder only its owner can enter; numbers only as a
//! keyed hash. [`Search::forget`] removes a call, a caller or a business so that its bytes are gone when it returns.

mod callers;
mod document;
mod error;
mod files;
mod find;
mod forget;
mod handle;
mod highlight;
mod inbox;
mod indexer;
pub mod metrics;
mod progress;
mod query;
mod question;
mod settings;
mod sweep;
#[cfg(test)]
mod tests;
mod words;

pub use error::{Error, Result};
pub use forget::Forget;
pub use handle::{Search, State};
pub use question::{Filters, Found, Happened, Hit, Line, Order, OutcomeIs, Piece, Question, Tag};
pub use settings::Settings;

#[allow(unused_imports, reason = "named in this module's documentation")]
use super::Storage;
