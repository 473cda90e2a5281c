//! How nodes reach what they share, and its bounds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::types::Private;

/// How nodes reach what they share, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// "local" for one node alone, else the server: `redis://host:6379`, `redis-cluster://host:6379?node=host2:6379`
    /// or `redis-sentinel://host:26379?node=host2:26379&sentinelServiceName=name`; `rediss` for TLS; the same with
    /// `valkey`. No password in it.
    pub url: String,
    /// The user, where the server has users.
    pub username: String,
    /// The password, where the server wants one.
    pub password: Private<String>,
    /// The user of the sentinels, where they have users.
    pub sentinel_username: String,
    /// The password of the sentinels, where they want one.
    pub sentinel_password: Private<String>,
    /// The certificates, in PEM, of which one signed the server's, for an address with `rediss`; absent: those that
    /// this machine trusts. The server's certificate names the address that it is reached at.
    pub authorities: Option<PathBuf>,
    /// What every key begins with: clusters that share a server differ in it.
    pub prefix: String,
    /// How long one try of a command may take, in milliseconds.
    pub command_ms: u64,
    /// How long a command may take in all, its retries included, in milliseconds.
    pub deadline_ms: u64,
    /// Tries in all of a command that can be repeated; one that can't has one.
    pub attempts_max: u32,
    /// The wait before the second try, in milliseconds; doubled for each further one, and spread.
    pub retry_ms: u64,
    /// How long connecting may take, in milliseconds.
    pub connect_ms: u64,
    /// How long a connection may leave a command without an answer before it is made anew, in milliseconds.
    pub unresponsive_ms: u64,
    /// The wait before a lost connection is made anew, in milliseconds; doubled each time.
    pub reconnect_ms: u32,
    /// The longest such wait, in milliseconds.
    pub reconnect_max_ms: u32,
    /// After so long without a connection the client itself is made anew, in milliseconds.
    pub rebuild_ms: u64,
    /// Commands under way at once; the next one fails at once.
    pub in_flight_max: usize,
    /// Commands of one bulk request that are under way at once.
    pub batch_max: usize,
    /// Hints that wait for one listener; further ones are lost and counted.
    pub hints_waiting_max: usize,
    /// The largest state of a call, in bytes; a larger one is refused.
    pub checkpoint_bytes_max: usize,
    /// Without a server: entries of one kind that are kept in memory; the next one is refused.
    pub entries_max: usize,
}

impl Settings {
    /// The address of a node that shares with nobody.
    pub const LOCAL: &'static str = "local";

    /// Refuses a state that is too large.
    pub(in crate::storage) fn check_state(&self, state: &[u8]) -> Result<()> {
        let (bytes, most) = (state.len(), self.checkpoint_bytes_max);
        if bytes > most {
            return Err(Error::refused(format!("the state has {bytes} bytes, at most {most} are kept")));
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: Self::LOCAL.to_owned(),
            username: String::new(),
            password: Private::default(),
            sentinel_username: String::new(),
            sentinel_password: Private::default(),
            authorities: None,
            prefix: "strowger".to_owned(),
            command_ms: 300,
            deadline_ms: 800,
            attempts_max: 3,
            retry_ms: 20,
            connect_ms: 1_000,
            unresponsive_ms: 1_000,
            reconnect_ms: 20,
            reconnect_max_ms: 1_000,
            rebuild_ms: 5_000,
            in_flight_max: 1_024,
            batch_max: 64,
            hints_waiting_max: 256,
            checkpoint_bytes_max: 262_144,
            entries_max: 100_000,
        }
    }
}
