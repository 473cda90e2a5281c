//! A scenario: how many callers, how fast, for how long, and what is good enough.

use std::path::Path;

use cluster::sip::sdp::Codec;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A scenario, read from `loadtest/scenarios/<name>.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in one sentence.
    pub about: String,
    /// Calls that are up at once, once all have come.
    pub calls: u32,
    /// New calls a second while they come.
    pub calls_per_s: f64,
    /// How long all of them stay up together; cost is measured over this.
    pub hold_s: u64,
    /// The codec that the callers offer; all where none is named.
    #[serde(default)]
    pub codec: Option<Codec>,
    /// Whether they offer SRTP.
    #[serde(default)]
    pub srtp: bool,
    /// What the callers say, again and again, in turn.
    pub says: Vec<String>,
    /// What is good enough.
    pub budget: Budget,
}

/// What is good enough; each is printed beside what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Share of one core that a call may cost the node, in percent.
    pub cpu_percent_per_call: f64,
    /// Resident memory that a call may cost the node, in kilobytes (1,024 bytes).
    pub memory_kb_per_call: f64,
    /// From INVITE to 200, 95th percentile, in milliseconds.
    pub set_up_p95_ms: f64,
}

/// Why a scenario can't be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        why: String,
    },
}

/// Reads a scenario or a ramp.
///
/// # Errors
/// [`Error::Unreadable`], with the line and the key where the file is at fault.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let unreadable = |why: String| Error::Unreadable { path: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    toml::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        read(path)
    }
}
