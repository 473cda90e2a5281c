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
    /// A segment or chunk is not what was kept.
    #[error(
        "part {index} of the recording can't be opened: it was changed, cut short or put there from elsewhere"
    )]
    Altered {
        /// Which, from 0.
        index: u32,
    },
    /// A segment or the object with all chunks is gone.
    #[error("part {index} of the recording's {of} is missing from where it was kept; restore it from a copy")]
    Missing {
        /// Which, from 0.
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
    /// It can't be made Ogg/Opus, or that can't be read.
    #[error("the recording can't be encoded or decoded: {why}")]
    Codec {
        /// Why.
        why: String,
    },
    /// There is no such part, or not in that format.
    #[error("no such part of the recording can be written: {why}")]
    Extract {
        /// Why.
        why: &'static str,
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
