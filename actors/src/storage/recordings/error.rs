//! What can go wrong with a recording.

use std::path::PathBuf;

use crate::storage;

/// What can go wrong with a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such recording.
    #[error("there is no such recording")]
    NotFound,
    /// A key can't be had.
    #[error("{which} can't be used: {why}")]
    Key {
        /// Which key.
        which: String,
        /// Why, and what to do.
        why: String,
    },
    /// A segment is not what was kept.
    #[error(
        "segment {index} of the recording can't be opened: it was changed, cut short or put there from elsewhere"
    )]
    Altered {
        /// Which segment, from 0.
        index: u32,
    },
    /// A segment is gone.
    #[error("segment {index} of the recording's {of} is missing from its folder; restore it from a copy")]
    Missing {
        /// Which segment, from 0.
        index: u32,
        /// How many there should be.
        of: u32,
    },
    /// The folder of recordings can't be used.
    #[error("{} can't be used for recordings: {why}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The objects can't be read or written.
    #[error("recordings can't be reached: {why}")]
    Objects {
        /// Why.
        why: String,
    },
    /// No more recordings at once, or the recorder has stopped.
    #[error("the recorder takes no more recordings: {why}")]
    Refused {
        /// Why.
        why: &'static str,
    },
    /// Too long for memory.
    #[error("the recording is {seconds} s long, at most {most} s are read at once; export it to a file")]
    TooLong {
        /// Its length.
        seconds: u64,
        /// The most.
        most: u64,
    },
    /// What is known of the recording can't be had.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

/// A recording's answer.
pub type Result<T> = std::result::Result<T, Error>;

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::Objects { why: error.to_string() }
    }
}
