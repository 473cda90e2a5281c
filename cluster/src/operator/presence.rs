//! Where a running node says that it runs, and how to reach it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use actors::types::PhoneNumber;
use jiff::Timestamp;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::sip::destination::Transport;

/// The file in the data directory.
const FILE: &str = "node.json";

/// A running node, as written to its data directory for who wants to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Its process.
    pub pid: i32,
    /// Its HTTP address.
    pub http: SocketAddr,
    /// Its SIP address.
    pub sip: SocketAddr,
    /// What carries SIP there.
    pub transport: Transport,
    /// Where other nodes use its engines, if they may.
    #[serde(default)]
    pub inference: Option<SocketAddr>,
    /// A number that it answers, for whoever names none.
    pub number: Option<PhoneNumber>,
    /// When it started.
    pub started_at: Timestamp,
    /// The version that runs.
    pub version: String,
}

impl Presence {
    /// Writes it to `directory`, whole or not at all.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let beside = directory.join("node.json.new");
        std::fs::write(&beside, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(beside, path(directory))
    }

    /// The node that runs on `directory`, where one does: a file left behind by a process that is gone counts as
    /// none.
    #[must_use]
    pub fn find(directory: &Path) -> Option<Self> {
        let bytes = std::fs::read(path(directory)).ok()?;
        let presence: Self = serde_json::from_slice(&bytes).ok()?;
        presence.is_alive().then_some(presence)
    }

    /// Removes it from `directory`; one that is gone already is fine.
    pub fn remove(directory: &Path) {
        if let Err(error) = std::fs::remove_file(path(directory))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the node's presence file could not be removed");
        }
    }

    fn is_alive(&self) -> bool {
        // Signal 0 only asks. A process of another user is alive too, though it may not be signalled.
        !matches!(kill(Pid::from_raw(self.pid), None), Err(nix::errno::Errno::ESRCH))
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_left_by_a_dead_process_counts_as_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let own = i32::try_from(std::process::id()).expect("a pid");
        let mut presence = Presence {
            pid: own,
            http: "127.0.0.1:8080".parse().expect("an address"),
            sip: "127.0.0.1:5060".parse().expect("an address"),
            transport: Transport::Udp,
            inference: None,
            number: PhoneNumber::parse("1000"),
            started_at: Timestamp::UNIX_EPOCH,
            version: "0".to_owned(),
        };
        assert_eq!(Presence::find(directory.path()), None);
        presence.write(directory.path()).expect("writes");
        assert_eq!(Presence::find(directory.path()), Some(presence.clone()));
        presence.pid = i32::MAX;
        presence.write(directory.path()).expect("writes");
        assert_eq!(Presence::find(directory.path()), None);
    }
}
