//! The only file of this crate that asks what time it is.

use std::time::Instant;

/// The monotonic clock, for the engine threads' deadlines and measurements.
#[expect(clippy::disallowed_methods, reason = "the crate's one place that asks the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
