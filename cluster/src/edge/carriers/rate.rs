//! How many messages a stream may send.

use std::time::Instant;

/// A bucket that fills with time.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { per_second: f64::from(per_second), burst, tokens: burst, at: now }
    }

    /// Whether one more is within bounds.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = elapsed.mul_add(self.per_second, self.tokens).min(self.burst);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn audio_is_always_within_bounds_and_a_flood_is_not() {
        let start = crate::clock::monotonic();
        let mut rate = Rate::new(200, 600, start);
        for number in 0..100_u64 {
            assert!(rate.admit(start + Duration::from_millis(number * 20)));
        }
        let later = start + Duration::from_secs(3);
        let admitted = (0..10_000).filter(|_| rate.admit(later)).count();
        assert_eq!(admitted, 600);
    }
}
