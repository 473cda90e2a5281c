//! What can go wrong at the command line.

use std::path::PathBuf;

use actors::storage;

use crate::edge::{media, sip_trunk};
use crate::operator::{ClientError, Failure};
use crate::{config, node, telemetry};

/// What went wrong, worded for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration has mistakes.
    #[error("the configuration has mistakes:\n{0}")]
    Config(#[from] config::Mistakes),
    /// Logs or metrics could not be set up.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    /// The node did not start.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// The node stopped with records that its store has not taken.
    #[error("the store did not take the records of {records} call(s); they are lost")]
    Unwritten {
        /// How many.
        records: usize,
    },
    /// Another process has the node's name.
    #[error(
        "another process was started with this node's name; give each node a node.name and data of its own"
    )]
    Superseded,
    /// The call was not made, or did not end well.
    #[error("the call failed: {why}")]
    Call {
        /// Why.
        why: String,
    },
    /// A trunk does not work.
    #[error("trunk \"{name}\" does not work; see above")]
    TrunkBroken {
        /// Its name.
        name: String,
    },
    /// Weights could not be got or are not right.
    #[error(transparent)]
    Weights(#[from] models::weights::Error),
    /// Some files are not what they should be.
    #[error("{files} file(s) are not what they should be; remove them and pull the model again")]
    WrongWeights {
        /// How many.
        files: usize,
    },
    /// Engines that a node would use do not work.
    #[error("{engines} engine(s) do not work; see above")]
    Unwell {
        /// How many.
        engines: usize,
    },
    /// There is no voice for the caller.
    #[error("the caller has no voice: {0}")]
    Voice(#[from] models::Error),
    /// Own SIP can't start, or the target can't be called.
    #[error(transparent)]
    Trunk(#[from] sip_trunk::Error),
    /// Own audio can't start.
    #[error(transparent)]
    Media(#[from] media::Error),
    /// The running node could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What was asked came to nothing.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// Something is to be erased, and nobody said yes.
    #[error("{what} is erased for ever; say so with --yes")]
    Unconfirmed {
        /// What.
        what: String,
    },
    /// A number is none.
    #[error("this is no telephone number; write it as +447700900001")]
    NoNumber,
    /// A business's file has mistakes.
    #[error("{} was not imported:\n{}", .file.display(), .mistakes.join("\n"))]
    Import {
        /// The file.
        file: PathBuf,
        /// All mistakes, with file and line.
        mistakes: Vec<String>,
    },
    /// There is no data here.
    #[error("there is no data in {}; start a node with `strowger run --demo`, or name its directory with --data", .data.display())]
    NoData {
        /// Where data was looked for.
        data: PathBuf,
    },
    /// What is asked needs the data for itself.
    #[error("a node runs on {} (process {pid}); stop it first", .data.display())]
    NodeRuns {
        /// The directory.
        data: PathBuf,
        /// The node's process.
        pid: i32,
    },
    /// The node's own files can't be read.
    #[error("{} can't be read: {why}; {mend}", .path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
        /// What to do.
        mend: &'static str,
    },
    /// The store could not be opened.
    #[error("{why}")]
    Store {
        /// Why, and what to do.
        why: String,
    },
    /// The store fails.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A backup or a copy fails.
    #[error(transparent)]
    Backup(#[from] storage::backup::Error),
    /// The store is not as it should be.
    #[error("the store has {faults} fault(s); restore it from a backup")]
    Faults {
        /// How many.
        faults: u64,
    },
    /// The answer was not to the question.
    #[error("the node answered something else; use the same version as the node")]
    OtherAnswer,
    /// Standard output, or the file named for it, can't be written.
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
    /// The data can't be shown as JSON.
    #[error("the data can't be shown as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The process has no room for threads.
    #[error("the runtime can't start: {why}")]
    Runtime {
        /// Why.
        why: std::io::Error,
    },
}
