//! After the call: its segments become one Ogg/Opus file (RFC 7845), sealed in chunks, caller left and receptionist
//! right. Off the call's path, a few at a time, and begun again wherever a process died.

mod chunks;
mod decode;
mod encode;
mod merger;

use serde::{Deserialize, Serialize};

pub(super) use decode::Decode;
pub(super) use encode::OggOpus;
pub(super) use merger::Merger;

/// How segments are merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether they are; else they stay as they are.
    pub enabled: bool,
    /// How often those are looked for that no process works on, in milliseconds.
    pub every_ms: u64,
    /// The longest wait after a look that failed, in milliseconds; doubled each time until then.
    pub retry_max_ms: u64,
    /// The most that are read from the list at once.
    pub batch_max: usize,
    /// Bits per second of both sides together.
    pub bits_per_second: i32,
    /// The encoder's effort, 0 to 10. A call minute takes 0.08 s of a core at 1 (measured on one of 2026), 0.18 s
    /// at 5.
    pub complexity: i32,
    /// Recordings that are encoded at once, each by a core.
    pub at_once: usize,
    /// Bytes in one part of an upload; S3 wants at least 5 MiB in all but the last.
    pub part_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            every_ms: 5_000,
            retry_max_ms: 300_000,
            batch_max: 64,
            bits_per_second: 32_000,
            complexity: 1,
            at_once: 1,
            part_bytes: 5 << 20,
        }
    }
}
