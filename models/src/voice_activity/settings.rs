//! The bounds of voice activity.

use serde::{Deserialize, Serialize};

/// When somebody counts as speaking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The detector's score (0 to 1) from which a frame counts as voice before speech has started.
    pub start_score: f32,
    /// The score below which a frame counts as no voice once speech has started; lower, so that weak
    /// syllables don't end it.
    pub stop_score: f32,
    /// How much voice starts speech, in milliseconds. Longer ignores coughs and clicks; shorter interrupts
    /// the receptionist sooner.
    pub onset_ms: u32,
    /// How much absence of voice ends speech, in milliseconds. This ends a stretch of voice, not a turn.
    pub hangover_ms: u32,
    /// How much audio from before the start is given along with speech, in milliseconds. At most 400.
    pub pre_roll_ms: u32,
    /// Frames quieter than this are not judged at all, in decibels below full scale.
    pub quiet_dbfs: f32,
    /// Frames must be this much louder than the background to be judged, in decibels.
    pub above_background_db: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start_score: 0.55,
            stop_score: 0.35,
            onset_ms: 64,
            hangover_ms: 320,
            pre_roll_ms: 300,
            quiet_dbfs: -52.0,
            above_background_db: 6.0,
        }
    }
}
