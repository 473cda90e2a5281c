//! How long passes over requests took for what they cost.

use std::collections::VecDeque;
use std::time::Duration;

/// The latest passes.
#[derive(Debug, Clone)]
pub struct PassTimes {
    kept: usize,
    passes: VecDeque<Pass>,
}

#[derive(Debug, Clone, Copy)]
struct Pass {
    requests: usize,
    cost: u64,
    took: Duration,
}

impl PassTimes {
    /// Nothing measured. The latest `kept` passes count.
    #[must_use]
    pub fn new(kept: usize) -> Self {
        Self { kept: kept.max(1), passes: VecDeque::new() }
    }

    /// Remembers a pass over `requests` requests of `cost` together.
    pub fn record(&mut self, requests: usize, cost: u64, took: Duration) {
        if self.passes.len() >= self.kept {
            self.passes.pop_front();
        }
        self.passes.push_back(Pass { requests, cost, took });
    }

    /// The least time that `cost` takes in passes of up to `batch_max` requests, as far as was seen; nothing where
    /// nothing was. Where no pass was full, the fullest count as if they had been: a pass is no faster for having
    /// more in it, so whoever is told that this is too long would indeed have waited for longer.
    #[must_use]
    pub fn least(&self, cost: u64, batch_max: usize) -> Duration {
        let fullest = self.passes.iter().map(|pass| pass.requests).max().unwrap_or(0);
        let (mut spent, mut took) = (0.0, 0.0);
        for pass in self.passes.iter().filter(|pass| pass.requests == fullest) {
            spent += pass.cost as f64 * batch_max.max(fullest) as f64 / fullest.max(1) as f64;
            took += pass.took.as_secs_f64();
        }
        if spent > 0.0 { Duration::from_secs_f64(took * cost as f64 / spent) } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn one_at_a_time_is_paid_by_its_cost() {
        let mut times = PassTimes::new(3);
        assert_eq!(times.least(1_000, 1), Duration::ZERO, "nothing was seen");
        times.record(1, 100, ms(900));
        times.record(1, 100, ms(10));
        times.record(1, 300, ms(30));
        times.record(1, 100, ms(10));
        assert_eq!(times.least(200, 1), ms(20), "the slow one is forgotten");
    }

    #[test]
    fn passes_that_were_not_full_never_promise_too_little() {
        let mut times = PassTimes::new(10);
        times.record(1, 1, ms(8));
        assert_eq!(
            (times.least(4, 4), times.least(8, 4)),
            (ms(8), ms(16)),
            "as if three more came for nothing"
        );
        times.record(4, 4, ms(20));
        assert_eq!((times.least(4, 4), times.least(8, 4)), (ms(20), ms(40)), "a full one says what it is");
    }
}
