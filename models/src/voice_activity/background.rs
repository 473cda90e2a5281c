//! How loud it is when nobody speaks.

use crate::audio::sum_of_squares;

/// The quietest of the recent past, which falls at once and rises slowly.
#[derive(Debug, Clone)]
pub(super) struct Background {
    level_db: f32,
    quiet_dbfs: f32,
    margin_db: f32,
}

/// Rise per 16 ms frame: 2 dB a second, so that a long sentence doesn't become its own background.
const RISE_DB: f32 = 0.032;

impl Background {
    pub(super) fn new(quiet_dbfs: f32, margin_db: f32) -> Self {
        Self { level_db: quiet_dbfs, quiet_dbfs, margin_db }
    }

    /// Whether a frame stands out of the background; it becomes part of it either way.
    pub(super) fn is_above(&mut self, frame: &[i16]) -> bool {
        let mean = sum_of_squares(frame) as f32 / frame.len().max(1) as f32;
        let level_db = 10.0 * (mean / (32_768.0 * 32_768.0) + 1e-10).log10();
        self.level_db = if level_db < self.level_db { level_db } else { self.level_db + RISE_DB };
        level_db > self.quiet_dbfs.max(self.level_db + self.margin_db)
    }
}
