//! The bounds of telling an echo.

use serde::{Deserialize, Serialize};

/// When what comes counts as an echo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether an echo of our voice is kept from interrupting us.
    pub held_back: bool,
    /// The least that an echo is quieter than what was sent, in decibels; what is louder is never taken for one. Until
    /// a line is known, all of its echoes count as being as loud as that.
    pub loss_db_min: f32,
    /// How much louder than the echo a caller has to be to be heard over it, in decibels.
    pub margin_db: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { held_back: true, loss_db_min: 6.0, margin_db: 6.0 }
    }
}
