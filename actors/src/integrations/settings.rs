//! Bounds of integrations.

use serde::{Deserialize, Serialize};

/// How long, how often and how much an integration is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a tool call may take in all, its retries included, in milliseconds.
    pub deadline_ms: u64,
    /// How long one try may take, in milliseconds.
    pub attempt_ms: u64,
    /// Tries in all. The idempotency key makes a repeated try safe; 1 never repeats.
    pub attempts_max: u32,
    /// The wait before the second try, in milliseconds; doubled for each further one, and spread.
    pub retry_ms: u64,
    /// Requests that one integration of one tenant works on at once; the next one fails at once.
    pub in_flight_max: u32,
    /// Failures in a row that open the breaker.
    pub breaker_failures: u32,
    /// How long an open breaker sends nothing, in milliseconds; then one probe goes through.
    pub breaker_pause_ms: u64,
    /// The wait before an integration that failed is started again, in milliseconds; none the first time,
    /// doubled each further time.
    pub restart_ms: u64,
    /// The longest such wait, in milliseconds. After so long without a failure the wait is none again.
    pub restart_max_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline_ms: 8_000,
            attempt_ms: 3_000,
            attempts_max: 3,
            retry_ms: 200,
            in_flight_max: 64,
            breaker_failures: 5,
            breaker_pause_ms: 5_000,
            restart_ms: 100,
            restart_max_ms: 30_000,
        }
    }
}
