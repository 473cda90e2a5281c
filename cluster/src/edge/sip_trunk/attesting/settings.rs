//! Whom we believe about callers, and how long that may take.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Settings of the check of what networks vouch for (STIR/SHAKEN).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A file with the certificates, PEM, of those who may say who a network is: the list of the policy administrator.
    /// Where there is none, nothing is checked.
    pub trust_file: Option<PathBuf>,
    /// The hosts that certificates are fetched from, by HTTPS alone: `cert.example.org`, all below a name as
    /// `.example.org`, with a port as `cert.example.org:8443`. What lies elsewhere is never fetched, as callers choose
    /// what is asked for.
    pub hosts: Vec<String>,
    /// A file with the certificates, PEM, by which those hosts are believed, where they are not the system's.
    pub hosts_trust_file: Option<PathBuf>,
    /// The code of the country that numbers without one are of, as `44`; empty where nothing is known.
    pub country: String,
    /// How old what is said may be, and how far ahead of our clock, in seconds.
    pub fresh_s: i64,
    /// How long a call may wait for the check, in milliseconds; what takes longer counts as no certificate.
    pub wait_ms: u64,
    /// How long fetching a certificate may take, in milliseconds. It goes on for the next caller when this one has
    /// waited enough.
    pub fetch_ms: u64,
    /// Certificates that are fetched at once; a call that needs a further one goes without.
    pub fetches_max: usize,
    /// The largest file of certificates, in bytes.
    pub certificate_bytes_max: usize,
    /// How long a certificate is kept, in milliseconds.
    pub keep_ms: u64,
    /// For how long what could not be fetched is not tried again, in milliseconds.
    pub retry_ms: u64,
    /// Certificates that are kept.
    pub kept_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust_file: None,
            hosts: Vec::new(),
            hosts_trust_file: None,
            country: String::new(),
            fresh_s: 60,
            wait_ms: 1_500,
            fetch_ms: 5_000,
            fetches_max: 16,
            certificate_bytes_max: 32 * 1_024,
            keep_ms: 3_600_000,
            retry_ms: 30_000,
            kept_max: 1_000,
        }
    }
}
