//! The one place of this crate that asks what time it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock and the clock that never goes back. Cheap to clone.
///
/// How long things take is always measured on [`Clock::monotonic`], so that a wall clock that jumps changes no
/// timer and no length of a call.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
        Self { wall: Arc::new(Timestamp::now) }
    }

    /// A wall clock that stands at `start` now and moves with the runtime's own time, so that a test that pauses
    /// the one has paused both.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        let began = Instant::now();
        Self { wall: Arc::new(move || start.checked_add(began.elapsed()).unwrap_or(Timestamp::MAX)) }
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.wall)()
    }

    /// The clock that never goes back.
    #[must_use]
    pub fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

/// A count of milliseconds as a setting gives it.
pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
