//! What can go wrong with a backup.

use std::path::PathBuf;

use crate::storage::{self, recordings};

/// What can go wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read or written.
    #[error("{}: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// It is there already.
    #[error("{} is there already; name another file, or move it away", .path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// It is none.
    #[error("{} is no backup of this program", .path.display())]
    NotABackup {
        /// Which.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("the backup was written by a newer program (format {found}); restore it with that one")]
    Newer {
        /// Its version.
        found: String,
    },
    /// It ends too early.
    #[error("the backup is cut off: its end is missing; use a whole copy")]
    Cut,
    /// It was changed, or the key is not its own.
    #[error("{}", if *.chunk == 0 { "the key or the passphrase is not this backup's, or the file was changed".to_owned() } else { format!("the backup was changed or damaged (in its part {chunk}); use another copy") })]
    Altered {
        /// Which part of it, from 0.
        chunk: u64,
    },
    /// What it holds is not what its end says.
    #[error("the backup does not hold what it should ({what}); use another copy")]
    Sums {
        /// Of what.
        what: String,
    },
    /// The key can't be used.
    #[error("the key in {} can't be used: {why}", .path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// The recordings failed.
    #[error(transparent)]
    Recordings(#[from] recordings::Error),
    /// Something that this machine should be able to do was not done.
    #[error("the backup stopped: {why}")]
    Stopped {
        /// Why.
        why: String,
    },
}

/// A backup's answer.
pub type Result<T> = std::result::Result<T, Error>;
