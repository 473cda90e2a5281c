//! Certificates and the bounds of handshakes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What we show, whom we believe, and how long that may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Our certificate and those that vouch for it, in PEM. Needed where `sip.tls` is an address.
    pub certificate_file: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    pub key_file: Option<PathBuf>,
    /// Certificates of those who vouch for the peers that we connect to, in PEM; the system's where none is named.
    pub trust_file: Option<PathBuf>,
    /// How often the files are looked at, in milliseconds. A changed file is used for the next connection; one
    /// that can't be used is told and the old one kept. SIGHUP looks at once.
    pub reload_ms: u64,
    /// How long a handshake may take, in milliseconds.
    pub handshake_ms: u64,
    /// Handshakes under way at once; a further connection is closed and counted.
    pub handshakes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            certificate_file: None,
            key_file: None,
            trust_file: None,
            reload_ms: 10_000,
            handshake_ms: 5_000,
            handshakes_max: 256,
        }
    }
}
