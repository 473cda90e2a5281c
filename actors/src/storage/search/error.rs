//! What can go wrong with a search.

use crate::storage;

/// What can go wrong with a search.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The question can't be answered as it is put.
    #[error("that can't be searched for: {why}")]
    Question {
        /// Why, and what to do.
        why: String,
    },
    /// Not now, but perhaps later.
    #[error("the search is not available: {why}")]
    Unavailable {
        /// Why.
        why: String,
    },
    /// The index's files fail.
    #[error("the search index fails: {why}; if that goes on, run `strowger calls reindex`")]
    Index {
        /// Why.
        why: String,
    },
    /// It was deleted and can't be found any more, but its bytes may still lie in the index's files.
    #[error(
        "what was to be forgotten can't be found any more, but the index's files were not rewritten: {why}; try again"
    )]
    Unfinished {
        /// Why.
        why: String,
    },
    /// The calls can't be read.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

/// A search's answer.
pub type Result<T> = std::result::Result<T, Error>;

impl From<tantivy::TantivyError> for Error {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Index { why: error.to_string() }
    }
}
