//! The playbook's bounds and thresholds.

use serde::{Deserialize, Serialize};

/// Bounds and thresholds of the playbook. Scores and confidences are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// An utterance means something where its best example scores at least this.
    pub intent_score_min: f32,
    /// The same while a question of ours stands open, whose answer comes first.
    pub intent_score_min_midway: f32,
    /// From this score on words say by themselves what is wanted; below, where a model says what they mean, that is asked
    /// instead.
    pub intent_score_sure: f32,
    /// Below this confidence, a "yes" is asked for again before anything is booked, moved or cancelled.
    pub confidence_min: f32,
    /// So many misunderstandings in a row lead to a message.
    pub failures_max: u32,
    /// So many silences in a row end the call.
    pub silences_max: u32,
    /// Places offered at once.
    pub offers_max: usize,
    /// Places asked of the calendar in one search.
    pub slots_max: u32,
    /// Searches of the calendar for one wish.
    pub searches_max: usize,
    /// How far beyond the asked day the nearest free place is looked for, in days.
    pub alternatives_days: i64,
    /// Characters kept of a message.
    pub message_chars_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            intent_score_min: 0.58,
            intent_score_min_midway: 0.66,
            intent_score_sure: 0.8,
            confidence_min: 0.35,
            failures_max: 2,
            silences_max: 3,
            offers_max: 3,
            slots_max: 48,
            searches_max: 16,
            alternatives_days: 14,
            message_chars_max: 1_000,
        }
    }
}
