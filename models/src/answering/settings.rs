//! What counts as a beep, as a long greeting and as a short one.

use serde::{Deserialize, Serialize};

/// How a mailbox is told from a person by its sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The lowest pitch of a beep, in hertz.
    pub beep_hz_min: u32,
    /// The highest, in hertz.
    pub beep_hz_max: u32,
    /// How much of the sound must be that pitch, in percent of its power.
    pub beep_purity_percent: u32,
    /// The shortest beep, in milliseconds.
    pub beep_ms_min: u32,
    /// The longest; what goes on is some other tone, in milliseconds.
    pub beep_ms_max: u32,
    /// Sound below this is silence, as the root of its mean square, of 32,768.
    pub audible_min: u32,
    /// How much louder than the line's own noise speech is, in percent.
    pub above_noise_percent: u32,
    /// The pause that ends a greeting, in milliseconds.
    pub pause_ms: u32,
    /// A greeting that goes on for longer is a mailbox's, in milliseconds.
    pub greeting_ms_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            beep_hz_min: 350,
            beep_hz_max: 2_200,
            beep_purity_percent: 80,
            beep_ms_min: 160,
            beep_ms_max: 2_500,
            audible_min: 150,
            above_noise_percent: 300,
            pause_ms: 900,
            greeting_ms_max: 4_000,
        }
    }
}
