//! How long steps took, by their size.

use std::collections::VecDeque;
use std::time::Duration;

use super::Buckets;

/// The latest steps of each size.
#[derive(Debug, Clone)]
pub struct StepTimes {
    buckets: Buckets,
    windows: Vec<VecDeque<Duration>>,
    kept: usize,
}

impl StepTimes {
    /// Nothing measured. Of each size the latest `kept` steps count.
    #[must_use]
    pub fn new(buckets: Buckets, kept: usize) -> Self {
        let windows = buckets.sizes().iter().map(|_| VecDeque::new()).collect();
        Self { buckets, windows, kept: kept.max(1) }
    }

    /// Remembers a step of `rows` rows.
    pub fn record(&mut self, rows: usize, took: Duration) {
        let Some(place) = self.buckets.sizes().iter().position(|size| *size >= rows) else { return };
        if let Some(window) = self.windows.get_mut(place) {
            if window.len() >= self.kept {
                window.pop_front();
            }
            window.push_back(took);
        }
    }

    /// The 99th percentile of a step of `rows` rows: the slowest of the sizes up to it, as a larger step is never
    /// taken to be faster. None where one of them was not measured, or `rows` are too many.
    #[must_use]
    pub fn p99(&self, rows: usize) -> Option<Duration> {
        let mut slowest = Duration::ZERO;
        for (size, window) in self.buckets.sizes().iter().zip(&self.windows) {
            slowest = slowest.max(percentile_99(window)?);
            if *size >= rows {
                return Some(slowest);
            }
        }
        None
    }

    /// The most rows whose step takes no longer than `budget`; 0 where nothing that small was measured.
    #[must_use]
    pub fn rows_within(&self, budget: Duration) -> usize {
        let fits = |size: &&usize| self.p99(**size).is_some_and(|took| took <= budget);
        self.buckets.sizes().iter().take_while(fits).last().copied().unwrap_or(0)
    }

    /// The sizes that are measured.
    #[must_use]
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }
}

/// Of less than a hundred values the largest.
fn percentile_99(window: &VecDeque<Duration>) -> Option<Duration> {
    let mut sorted: Vec<Duration> = window.iter().copied().collect();
    sorted.sort_unstable();
    let place = (sorted.len() * 99).div_ceil(100).checked_sub(1)?;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_allows_nothing() {
        let mut times = StepTimes::new(Buckets::up_to(8), 100);
        assert_eq!((times.p99(1), times.rows_within(Duration::from_secs(1))), (None, 0));
        times.record(1, Duration::from_millis(3));
        times.record(2, Duration::from_millis(2));
        times.record(8, Duration::from_millis(9));
        assert_eq!(times.p99(2), Some(Duration::from_millis(3)), "no faster than a smaller step");
        assert_eq!((times.p99(3), times.p99(8)), (None, None), "4 was not measured");
        assert_eq!(times.rows_within(Duration::from_millis(10)), 2);
        times.record(4, Duration::from_millis(4));
        assert_eq!(times.rows_within(Duration::from_millis(10)), 8);
        assert_eq!(times.rows_within(Duration::from_millis(8)), 4);
    }

    #[test]
    fn one_slow_step_in_a_hundred_is_forgiven_and_old_ones_are_forgotten() {
        let mut times = StepTimes::new(Buckets::up_to(1), 200);
        (0..198).for_each(|_| times.record(1, Duration::from_millis(1)));
        times.record(1, Duration::from_millis(50));
        times.record(1, Duration::from_millis(50));
        assert_eq!(times.p99(1), Some(Duration::from_millis(1)));
        times.record(1, Duration::from_millis(50));
        assert_eq!(times.p99(1), Some(Duration::from_millis(50)));
        (0..200).for_each(|_| times.record(1, Duration::from_millis(2)));
        assert_eq!(times.p99(1), Some(Duration::from_millis(2)));
    }
}
