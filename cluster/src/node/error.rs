//! Why a node does not start.

use std::path::PathBuf;

use actors::{storage, supervision};

use crate::edge::{carriers, media, sip_trunk};
use crate::{gateway, telemetry};

/// Why a node does not start, worded for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory can't be used.
    #[error("the data directory {} can't be used: {why}; make it writable for this user or choose another with --data", .path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// Another node runs on this data.
    #[error("a node runs on {} already (process {pid}); stop it, or choose another directory with --data", .path.display())]
    Running {
        /// The directory.
        path: PathBuf,
        /// Its process.
        pid: i32,
    },
    /// The node's name is none.
    #[error("node.name {name:?} is no name: write at most 64 letters, digits, dashes, dots and underscores")]
    Name {
        /// What was given.
        name: String,
    },
    /// The store can't be opened or read.
    #[error("the store in {} can't be used: {why}", .path.display())]
    Storage {
        /// The data directory.
        path: PathBuf,
        /// Why.
        why: storage::Error,
    },
    /// Nobody can coordinate with these settings.
    #[error(transparent)]
    Coordination(#[from] storage::coordination::Misconfigured),
    /// The recordings can't be kept.
    #[error(transparent)]
    Recordings(#[from] storage::recordings::Error),
    /// The search can't start.
    #[error(transparent)]
    Search(#[from] storage::search::Error),
    /// What waiting callers hear can't be read.
    #[error(transparent)]
    Waiting(#[from] actors::call::waiting::Error),
    /// The demo business can't be taken in.
    #[error("the demo business was not imported: {why}")]
    Demo {
        /// Why.
        why: String,
    },
    /// The roles make no node.
    #[error("node.roles has {why}; {mend}")]
    Roles {
        /// What is wrong with them.
        why: &'static str,
        /// What to write.
        mend: &'static str,
    },
    /// An engine that the settings name can't run.
    #[error(transparent)]
    Engine(#[from] models::Error),
    /// The calls' actors did not start.
    #[error(transparent)]
    Supervision(#[from] supervision::Error),
    /// SIP can't start.
    #[error(transparent)]
    Trunk(#[from] sip_trunk::Error),
    /// The carriers' websockets can't start.
    #[error(transparent)]
    Carriers(#[from] carriers::Error),
    /// Audio on the wire can't start.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// The HTTP address can't be had.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// Logs or metrics can't start.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
}
