//! The only file of this crate that asks what time it is.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The wall clock: for records and for people. It may jump; never measure with it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the named file")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A clock that never goes back: for deadlines and for measuring.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the named file")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Time since `earlier`, zero if it is not earlier.
#[must_use]
pub fn since(earlier: Instant) -> Duration {
    monotonic().saturating_duration_since(earlier)
}
