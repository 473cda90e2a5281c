//! How long to wait before a model that failed is made anew.

use std::time::Duration;

/// After so many failures in a row: nothing after the first, then `first_ms`, doubled each time, and `max_ms` at most.
#[must_use]
pub fn rebuild_wait(failures: u32, first_ms: u64, max_ms: u64) -> Duration {
    let doubled = first_ms.saturating_mul(1 << failures.saturating_sub(2).min(20));
    Duration::from_millis(if failures <= 1 { 0 } else { doubled.min(max_ms) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_nothing_then_twice_as_long_each_time_up_to_a_bound() {
        let waits: Vec<u128> =
            (0..8).map(|failures| rebuild_wait(failures, 100, 1_000).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(rebuild_wait(u32::MAX, u64::MAX, 7).as_millis(), 7);
    }
}
