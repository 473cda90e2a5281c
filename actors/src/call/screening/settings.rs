//! What counts as many, what speaks how loudly for spam, and how much is remembered.

use serde::{Deserialize, Serialize};

/// How calls are judged before they are answered, and what is remembered for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How far back a caller's calls count, in milliseconds.
    pub window_ms: u64,
    /// So many calls of one caller to one business within that are many.
    pub calls_many: u32,
    /// A caller who hangs up this soon after the call began hung up at once, in milliseconds.
    pub short_ms: u64,
    /// So many calls that the caller ended at once are a pattern.
    pub short_many: u32,
    /// Callers remembered for one business; beyond it the one of longest ago is forgotten.
    pub callers_max: usize,
    /// Businesses whose callers are remembered; beyond it the one called longest ago is forgotten.
    pub businesses_max: usize,
    /// How much it speaks for spam, of 100, that what the caller's network said does not hold.
    pub falsely_vouched: u32,
    /// The same where it only knows where the call came in from.
    pub vouched_by_gateway: u32,
    /// How much it speaks against spam that the caller's network stands by the number.
    pub vouched_fully: u32,
    /// How much it speaks for spam that the caller shows the number called, or one beside it.
    pub shows_our_number: u32,
    /// The same of many calls.
    pub many_calls: u32,
    /// The same of hanging up at once, again and again.
    pub hangs_up_at_once: u32,
    /// The same of a number that can't be one.
    pub impossible_number: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window_ms: 600_000,
            calls_many: 6,
            short_ms: 5_000,
            short_many: 3,
            callers_max: 1_000,
            businesses_max: 10_000,
            falsely_vouched: 60,
            vouched_by_gateway: 20,
            vouched_fully: 20,
            shows_our_number: 50,
            many_calls: 40,
            hangs_up_at_once: 40,
            impossible_number: 40,
        }
    }
}
