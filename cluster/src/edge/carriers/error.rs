//! Why carriers' calls can't be taken, worded for the person who runs the node.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the carriers' edge did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting can't be used.
    #[error("{setting}: {mend}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it has to be.
        mend: &'static str,
    },
    /// The address is taken or not ours.
    #[error(
        "carriers can't be listened to on {address}: {source}; stop what uses it or set carriers.address"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Vonage's key can't be read.
    #[error("carriers.vonage.private_key_file {} can't be used: {why}; name the application's key in PEM", .file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The client of REST can't be made.
    #[error("the client of the carriers' REST can't be made: {0}")]
    Client(String),
}
