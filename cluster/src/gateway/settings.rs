//! The gateway's bounds.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// The HTTP address and its bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where it listens. Loopback by default: metrics name no person, but they are nobody else's business.
    pub address: SocketAddr,
    /// Connections at once; the next waits in the system's queue.
    pub connections_max: usize,
    /// The largest body that is read, in bytes.
    pub body_bytes_max: usize,
    /// How long a client may take to send a request's head, in milliseconds.
    pub head_timeout_ms: u64,
    /// How long an answer may take, in milliseconds; then 504.
    pub answer_timeout_ms: u64,
    /// How long open connections may finish what they do when the node stops, in milliseconds.
    pub stop_timeout_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            connections_max: 256,
            body_bytes_max: 1 << 20,
            head_timeout_ms: 5_000,
            answer_timeout_ms: 10_000,
            stop_timeout_ms: 2_000,
        }
    }
}
