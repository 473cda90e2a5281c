//! The node itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Role;

/// What keeps what must outlive a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// A file in the data directory.
    #[default]
    Embedded,
    /// A cluster of ScyllaDB or Apache Cassandra 5; the data directory keeps what it can't take for a while.
    Scylla,
}

/// Where a node's data lies and how it stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The directory of everything it keeps. One node at a time uses it.
    pub data: PathBuf,
    /// The node's name: its own among all nodes of a cluster, and the same after every start. A process that is
    /// started with the name of another takes its place. Letters, digits, dashes, dots and underscores, at most 64;
    /// empty: one is made up at the first start and kept in the data directory.
    pub name: String,
    /// What it does: "edge" and "calls" take calls and talk, "inference" lets its engines work for other nodes,
    /// "gateway" answers businesses over HTTP.
    pub roles: Vec<Role>,
    /// What keeps calls, appointments and all else: "embedded", a file in that directory, or "scylla", a cluster. A node
    /// whose only role is "inference" has none.
    pub store: Backend,
    /// How long calls may go on once the node was asked to stop, in seconds; then they are ended politely.
    pub drain_timeout_s: u64,
    /// How long the polite ending of calls may take, in seconds; then they are cut off.
    pub stop_timeout_s: u64,
    /// How long the store may take to answer before `/readyz` warns, in milliseconds.
    pub probe_timeout_ms: u64,
    /// How long a start waits for a cluster that is the store, in milliseconds; then the node starts without it.
    pub store_wait_ms: u64,
    /// The wait before a cluster that was away at the start is tried again, in milliseconds.
    pub store_again_ms: u64,
    /// How often a node asks its cluster whether another process has taken its name over, in milliseconds.
    pub standing_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            name: String::new(),
            roles: vec![Role::Edge, Role::Calls, Role::Gateway],
            store: Backend::default(),
            drain_timeout_s: 60,
            stop_timeout_s: 10,
            probe_timeout_ms: 1_000,
            store_wait_ms: 10_000,
            store_again_ms: 2_000,
            standing_ms: 5_000,
        }
    }
}
