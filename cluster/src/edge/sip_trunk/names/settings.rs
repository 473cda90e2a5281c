//! The bounds of looking up.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Who is asked for names, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name servers that are asked; the system's where none is named.
    pub servers: Vec<SocketAddr>,
    /// How long one of them may take to answer, in milliseconds.
    pub timeout_ms: u64,
    /// How often one is asked again.
    pub attempts: usize,
    /// How long a whole search may take, in milliseconds.
    pub search_ms: u64,
    /// How often it is looked up, in milliseconds, from where providers call with whom we have an account and do not
    /// register.
    pub again_ms: u64,
    /// Answers that are kept at once.
    pub cache_max: u64,
    /// How long an answer is kept at most, in seconds; it may say less itself.
    pub keep_most_s: u64,
    /// The same for the answer that there is none.
    pub keep_missing_most_s: u64,
    /// Servers that failed lately and are remembered, to be tried last.
    pub avoided_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout_ms: 2_000,
            attempts: 2,
            search_ms: 8_000,
            again_ms: 60_000,
            cache_max: 1_024,
            keep_most_s: 3_600,
            keep_missing_most_s: 60,
            avoided_max: 1_024,
        }
    }
}
