//! The bounds of what waiting callers hear.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What waiting callers hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// Nothing.
    Off,
    /// The business's file, or else a quiet pattern of tones.
    #[default]
    On,
}

/// What callers hear while somebody is called for them or a tool takes its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether they hear anything.
    pub sound: Sound,
    /// A folder of sounds, read at the start: `<business>.wav` or `<business>.opus` by the business's identifier,
    /// `default.wav` for those without; empty for none.
    pub folder: PathBuf,
    /// The largest file, in bytes.
    pub file_bytes_max: u64,
    /// The longest sound, in seconds. A second takes 16 kB of memory.
    pub seconds_max: u32,
    /// Sounds that are read.
    pub files_max: usize,
    /// How loud they are, in decibels below full scale.
    pub level_dbfs: i32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sound: Sound::On,
            folder: PathBuf::new(),
            file_bytes_max: 20 * 1_024 * 1_024,
            seconds_max: 300,
            files_max: 100,
            level_dbfs: -32,
        }
    }
}
