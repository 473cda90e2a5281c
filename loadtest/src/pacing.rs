//! When the next call begins.

use std::time::{Duration, Instant};

use cluster::clock;

/// Waits until call `number` of so many a second is due, all of them counted from one origin, so that a slow start is
/// made up for and what became of the others delays none.
pub(crate) async fn due(origin: Instant, number: u32, calls_per_s: f64) {
    let due = Duration::from_secs_f64(f64::from(number) / calls_per_s.max(0.1));
    let early = due.saturating_sub(clock::since(origin));
    // The runtime's timers count milliseconds: even a sleep for no time takes one, and no more than a thousand calls would
    // begin in a second.
    if !early.is_zero() {
        tokio::time::sleep(early).await;
    }
}
