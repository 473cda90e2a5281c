//! The key of a backup, on the command line.

use std::path::PathBuf;

use actors::storage::backup::KeySource;
use clap::Args;

use crate::command::Error;

/// Where the key comes from: a file, so that it stands in no list of processes.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Key {
    /// A file whose first line is the passphrase
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// A file with a key: 64 hexadecimal digits, such as `openssl rand -hex 32` makes
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Key {
    /// The key, by a path that holds in the node's directory, too.
    pub(super) fn source(&self) -> Result<KeySource, Error> {
        Ok(match (&self.passphrase_file, &self.key_file) {
            (Some(path), _) => KeySource::Passphrase(std::path::absolute(path)?),
            (None, Some(path)) => KeySource::KeyFile(std::path::absolute(path)?),
            // The parser asks for one of them.
            (None, None) => return Err(Error::OtherAnswer),
        })
    }
}
