//! Rate limits that hold across nodes while the server answers, and per node while it does not.

use std::fmt;
use std::sync::Arc;

use metrics::counter;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::metrics::RATE_LIMITED_ALONE;
use super::tables::{Full, Rates};
use super::{Coordination, Error, Rate, Result, Spent};
use crate::clock::Clock;

/// What a request gets while nobody knows what the other nodes have allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenAway {
    /// What this node's own count says: for calls, which are never refused because a server is down.
    CountAlone,
    /// Nothing: for logins, whose guesses must not multiply with the nodes.
    Refuse,
}

/// A bucket of this node in front of the shared one. The node's own is asked first and at the full rate, so that a
/// flood that one node sees alone never reaches the server.
pub struct RateLimiter {
    shared: Arc<dyn Coordination>,
    clock: Clock,
    began: Instant,
    own: Mutex<Rates>,
}

impl RateLimiter {
    /// A limiter that keeps at most `entries_max` limits itself; one more counts as limited until some are empty.
    #[must_use]
    pub fn new(shared: Arc<dyn Coordination>, clock: Clock, entries_max: usize) -> Self {
        Self { shared, began: clock.monotonic(), clock, own: Mutex::new(Rates::new(entries_max)) }
    }

    /// Spends one request of a limit.
    ///
    /// # Errors
    /// Where the server gave no answer and the request may not go without one.
    pub async fn spend(&self, limit: &str, rate: Rate, when_away: WhenAway) -> Result<Spent> {
        let own = self.spend_own(limit, rate);
        if matches!(own, Spent::Limited { .. }) {
            counter!(RATE_LIMITED_ALONE, "answer" => "limited").increment(1);
            return Ok(own);
        }
        match (self.shared.spend(limit, rate).await, when_away) {
            (Ok(spent), _) => Ok(spent),
            (Err(Error::Unavailable { .. } | Error::Unknown { .. }), WhenAway::CountAlone) => {
                counter!(RATE_LIMITED_ALONE, "answer" => "allowed").increment(1);
                Ok(own)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn spend_own(&self, limit: &str, rate: Rate) -> Spent {
        let since = self.clock.monotonic().duration_since(self.began);
        let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.own
            .lock()
            .spend(now_ms, limit, rate)
            .unwrap_or_else(|Full| Spent::Limited { retry_ms: rate.interval_us().div_ceil(1_000) })
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RateLimiter")
    }
}
