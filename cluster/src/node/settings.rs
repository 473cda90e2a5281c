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
    /// What it does: "edge" and "calls" take calls and talk, "inference" lets its engines work for other nodes,
    /// "gateway" answers businesses over HTTP.
    pub roles: Vec<Role>,
    /// What keeps calls, appointments and all else: "embedded", a file in that directory, or "scylla", a cluster.
    pub store: Backend,
    /// How long calls may go on once the node was asked to stop, in seconds; then they are ended politely.
    pub drain_timeout_s: u64,
    /// How long the polite ending of calls may take, in seconds; then they are cut off.
    pub stop_timeout_s: u64,
    /// How long the store may take to answer before `/readyz` warns, in milliseconds.
    pub probe_timeout_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            roles: vec![Role::Edge, Role::Calls, Role::Gateway],
            store: Backend::default(),
            drain_timeout_s: 60,
            stop_timeout_s: 10,
            probe_timeout_ms: 1_000,
        }
    }
}
