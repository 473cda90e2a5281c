//! What can go wrong with weights.

use std::path::PathBuf;

/// A failure, worded for the person who asked for the weights.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such model in the manifest.
    #[error("there is no model {name}; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Nobody has checked a file's hash, so that it could be anything.
    #[error(
        "the hash of {model}/{file} is not known to this version, so the file can't be checked; look at it yourself, or take it with --accept-unverified"
    )]
    Unverified {
        /// The model.
        model: &'static str,
        /// The file.
        file: &'static str,
    },
    /// The file is not the one that the manifest names.
    #[error("{} is not what it should be: its SHA-256 is {found}, not {wanted}; it was removed", .path.display())]
    WrongHash {
        /// The file.
        path: PathBuf,
        /// The manifest's hash.
        wanted: String,
        /// The file's.
        found: String,
    },
    /// The server could not be reached, or stopped answering, however often it was tried.
    #[error("no network to {host}: {why}; what has come is kept and the next pull goes on from there. Without a network, copy the files into {}", .folder.display())]
    Network {
        /// The server.
        host: String,
        /// What the last try came to.
        why: String,
        /// Where the files would go.
        folder: PathBuf,
    },
    /// The server does not have the file, or does not give it away.
    #[error("{url} answers {status}: {hint}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What that may mean.
        hint: &'static str,
    },
    /// The disk is full.
    #[error("no space left in {}: {needed_bytes} more bytes are needed; free some, or set engines.weights.folder to another disk", .folder.display())]
    Full {
        /// Where.
        folder: PathBuf,
        /// How much the file still needs.
        needed_bytes: u64,
    },
    /// A file can't be read or written.
    #[error("{}: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The package or its index is not what was expected.
    #[error("the package {project} {version} can't be used: {why}")]
    Package {
        /// The project.
        project: &'static str,
        /// Its version.
        version: &'static str,
        /// What is wrong.
        why: String,
    },
}
