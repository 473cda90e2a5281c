//! Where the cluster of the store is, and how long it is waited for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::types::Private;

/// Where the cluster of the store is, and bounds of every kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Nodes to ask first, as `host:port`; the others are learned from them.
    pub contact_points: Vec<String>,
    /// What the names of the two keyspaces begin with: `<prefix>_data` and `<prefix>_lwt`. Lower-case letters,
    /// digits and underscores, at most 40.
    pub keyspace_prefix: String,
    /// The data centre whose nodes are asked, and on whose majority calls, events and messages are kept. Empty:
    /// the cluster has one. What must be decided once (appointments, numbers, keys) is decided by a majority of
    /// all data centres.
    pub data_centre: String,
    /// How many copies there are, by data centre: used where `strowger store migrate` makes the keyspaces.
    /// Empty: `copies` in all, wherever.
    pub copies_by_data_centre: std::collections::BTreeMap<String, u32>,
    /// How many copies there are, where `copies_by_data_centre` is empty.
    pub copies: u32,
    /// Who the node says it is; absent where the cluster asks nobody.
    pub credentials: Option<Credentials>,
    /// How the cluster is known to be the right one; absent: plain text.
    pub tls: Option<Tls>,
    /// Connections per node, or per shard of one.
    pub connections: usize,
    /// Making a connection, in milliseconds.
    pub connect_ms: u64,
    /// One try of a read or write while a caller waits, in milliseconds.
    pub call_path_ms: u64,
    /// When such a read is asked of a second node, too, in milliseconds.
    pub second_ask_ms: u64,
    /// One try of a listing's page, in milliseconds.
    pub listing_ms: u64,
    /// One try of a change that is compared first, in milliseconds: four rounds between nodes.
    pub lwt_ms: u64,
    /// One try of a batch, in milliseconds.
    pub batch_ms: u64,
    /// All tries of one read or write while a caller waits, in milliseconds.
    pub call_path_total_ms: u64,
    /// All tries of anything else, in milliseconds.
    pub total_ms: u64,
    /// How long what a listing names may come after its entry, in milliseconds: erasing a business waits so long
    /// before it drops an entry that leads nowhere. Who needs half of it for a call's row writes it again.
    /// An eighth of it is for how long a node takes a day of a business to be named that it named.
    pub settle_ms: u64,
    /// The wait before the second try, in milliseconds; each later one is twice as long, up to `backoff_max_ms`.
    pub backoff_ms: u64,
    /// The longest wait between tries, in milliseconds.
    pub backoff_max_ms: u64,
    /// Requests of one listing at once.
    pub fan_out: usize,
    /// How long a number that somebody claims and does not use is left to them, in milliseconds.
    pub claim_ms: u64,
    /// How long appointments are known by the keys that they were written under, and tool calls by theirs, in
    /// days. A call is over within one.
    pub keys_days: u32,
    /// How long checkpoints are kept that nobody dropped, in days.
    pub checkpoint_days: u32,
    /// Calls and businesses whose retention is kept in mind, and calls that go on of which this node knows what it
    /// wrote.
    pub retention_cached_max: usize,
    /// How long a business's retention is kept in mind, in milliseconds.
    pub retention_cached_ms: u64,
    /// How often the session is tried and its figures are read, in milliseconds.
    pub health_ms: u64,
    /// After how many failed trials in a row the session is made anew.
    pub health_failures_max: u32,
    /// All of a migration, the wait for another node's included, in milliseconds.
    pub migrate_ms: u64,
}

/// Who the node says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The role's name.
    pub user: String,
    /// Its password.
    pub password: Private<String>,
}

/// How the cluster is known to be the right one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificates, in PEM, of which one signed those of the cluster's nodes. A node's certificate names the
    /// address that it is reached at.
    pub authorities: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contact_points: vec!["127.0.0.1:9042".to_owned()],
            keyspace_prefix: "strowger".to_owned(),
            data_centre: String::new(),
            copies_by_data_centre: std::collections::BTreeMap::new(),
            copies: 3,
            credentials: None,
            tls: None,
            connections: 2,
            connect_ms: 3_000,
            call_path_ms: 800,
            second_ask_ms: 100,
            listing_ms: 5_000,
            lwt_ms: 3_000,
            batch_ms: 10_000,
            call_path_total_ms: 2_000,
            total_ms: 12_000,
            settle_ms: 10_000,
            backoff_ms: 10,
            backoff_max_ms: 500,
            fan_out: 32,
            claim_ms: 30_000,
            keys_days: 35,
            checkpoint_days: 7,
            retention_cached_max: 100_000,
            retention_cached_ms: 300_000,
            health_ms: 5_000,
            health_failures_max: 3,
            migrate_ms: 120_000,
        }
    }
}
