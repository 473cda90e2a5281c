//! What can go wrong in a store.

/// What can go wrong in a store.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Another writer was first; read again and decide anew. Nothing was changed.
    #[error("{what} was changed by somebody else")]
    Conflict {
        /// What kind of thing.
        what: &'static str,
    },
    /// The store can't be reached or is full; nothing was changed.
    #[error("the store is unavailable: {why}")]
    Unavailable {
        /// Why.
        why: String,
    },
    /// The change may or may not have been made: ask again, with the same key.
    #[error("the store did not confirm: {why}")]
    Unknown {
        /// Why.
        why: String,
    },
    /// What is stored can't be read; nothing was changed.
    #[error("{what} can't be read: {why}")]
    Corrupt {
        /// What kind of thing.
        what: &'static str,
        /// Why.
        why: String,
    },
}

/// A store's answer.
pub type Result<T> = std::result::Result<T, Error>;
