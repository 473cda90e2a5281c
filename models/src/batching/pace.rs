//! How much a stream brings to one step. Longer pieces cost less and are answered later, so a busy engine asks first
//! its new streams and then all of them for longer ones, and goes back the same way when it has time again.
//!
//! What a step takes hardly depends on how long the pieces in it are, as long as reading the weights is the most of
//! it; what changes is how often there is one.

use std::collections::VecDeque;
use std::time::Duration;

use super::PaceSettings;

/// The paces of one engine's streams, from 0, the quickest.
#[derive(Debug)]
pub struct Pace {
    settings: PaceSettings,
    /// How often a stream brings a row, at each pace.
    periods: Vec<Duration>,
    new: usize,
    existing: usize,
    /// How often the pace of new streams changed.
    changes: u64,
    changed_at: Duration,
    /// The latest steps, each as the part of its rows' period that it took.
    shares: VecDeque<f64>,
}

/// When a stream joined, in changes of the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined(u64);

impl Pace {
    /// An idle engine, whose streams bring a row every one of `periods`, ascending.
    #[must_use]
    pub fn new(periods: &[Duration], settings: PaceSettings) -> Self {
        Self {
            settings,
            periods: periods.to_vec(),
            new: 0,
            existing: 0,
            changes: 0,
            changed_at: Duration::ZERO,
            shares: VecDeque::new(),
        }
    }

    /// A stream opens now.
    #[must_use]
    pub fn join(&self) -> Joined {
        Joined(self.changes)
    }

    /// The pace of a stream: that of the new ones if none changed since it joined.
    #[must_use]
    pub fn of(&self, joined: Joined) -> usize {
        if joined.0 == self.changes { self.new } else { self.existing }
    }

    /// The pace of the streams that have been there for longer.
    #[must_use]
    pub fn existing(&self) -> usize {
        self.existing
    }

    /// A step took so long, whose rows come every `period`. Says whether anybody's pace changed.
    pub fn observe(&mut self, now: Duration, took: Duration, period: Duration) -> bool {
        self.shares.push_back(took.as_secs_f64() / period.as_secs_f64().max(1e-9));
        while self.shares.len() > self.settings.steps.max(1) {
            self.shares.pop_front();
        }
        let hold = Duration::from_millis(self.settings.hold_ms);
        if self.shares.len() < self.settings.steps.max(1) || now < self.changed_at + hold {
            return false;
        }
        let changed = if self.is_busy() {
            self.slow_down()
        } else if self.is_calm() {
            self.speed_up()
        } else {
            false
        };
        if changed {
            self.changed_at = now;
            self.shares.clear();
        }
        changed
    }

    /// Half of the steps took too much of their period: one that did is an accident.
    fn is_busy(&self) -> bool {
        let limit = f64::from(self.settings.longer_percent) / 100.0;
        let over = self.shares.iter().filter(|share| **share > limit).count();
        over * 2 >= self.shares.len()
    }

    /// Every step would leave enough of the next quicker pace's period.
    fn is_calm(&self) -> bool {
        let slower = self.new.max(self.existing);
        let period = |pace: usize| self.periods.get(pace).map_or(0.0, Duration::as_secs_f64);
        let Some(quicker) = slower.checked_sub(1).map(period).filter(|quicker| *quicker > 0.0) else {
            return false;
        };
        let limit = f64::from(self.settings.shorter_percent) / 100.0;
        self.shares.iter().all(|share| share * period(slower) / quicker < limit)
    }

    fn slow_down(&mut self) -> bool {
        if self.existing < self.new {
            self.existing = self.new;
        } else if self.new < self.existing {
            self.set_new(self.existing);
        } else if self.new + 1 < self.periods.len() {
            self.set_new(self.new + 1);
        } else {
            return false;
        }
        true
    }

    fn speed_up(&mut self) -> bool {
        if self.new < self.existing {
            self.existing = self.new;
        } else if self.existing < self.new {
            self.set_new(self.existing);
        } else if let Some(quicker) = self.new.checked_sub(1) {
            self.set_new(quicker);
        } else {
            return false;
        }
        true
    }

    fn set_new(&mut self, pace: usize) {
        self.new = pace;
        self.changes += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIODS: [u64; 3] = [80, 160, 320];

    fn pace() -> Pace {
        let settings = PaceSettings { steps: 4, hold_ms: 1_000, ..PaceSettings::default() };
        Pace::new(&PERIODS.map(Duration::from_millis), settings)
    }

    /// `seconds` of steps that take `took_ms`, at the pace of the existing streams.
    fn steps(pace: &mut Pace, now: &mut Duration, seconds: u64, took_ms: u64) {
        let until = *now + Duration::from_secs(seconds);
        while *now < until {
            let period = Duration::from_millis(PERIODS[pace.existing()]);
            *now += period;
            pace.observe(*now, Duration::from_millis(took_ms), period);
        }
    }

    #[test]
    fn a_busy_engine_slows_new_streams_then_all_and_goes_back() {
        let (mut pace, mut now) = (pace(), Duration::ZERO);
        let old = pace.join();
        steps(&mut pace, &mut now, 10, 40);
        assert_eq!((pace.of(old), pace.of(pace.join())), (0, 0), "half the period is not busy");
        steps(&mut pace, &mut now, 1, 50);
        let new = pace.join();
        assert_eq!((pace.of(old), pace.of(new)), (0, 1));
        steps(&mut pace, &mut now, 2, 50);
        assert_eq!((pace.of(old), pace.of(new)), (1, 1), "50 ms are enough of 80 and not of 160");
        steps(&mut pace, &mut now, 60, 50);
        assert_eq!(pace.of(old), 1, "nor little enough to go back");
        steps(&mut pace, &mut now, 60, 120);
        assert_eq!((pace.of(old), pace.of(pace.join())), (2, 2), "there is no slower pace");
        steps(&mut pace, &mut now, 2, 20);
        assert_eq!((pace.of(old), pace.of(pace.join())), (2, 1), "new ones first");
        steps(&mut pace, &mut now, 60, 20);
        assert_eq!((pace.of(old), pace.of(pace.join())), (0, 0));
    }

    #[test]
    fn one_slow_step_changes_nothing_nor_does_a_single_pace() {
        let (mut pace, mut now) = (pace(), Duration::ZERO);
        for slow in [200, 1, 1, 1, 200, 1, 1, 1] {
            now += Duration::from_secs(2);
            assert!(!pace.observe(now, Duration::from_millis(slow), Duration::from_millis(80)));
        }
        let mut single = Pace::new(&[Duration::from_millis(80)], PaceSettings::default());
        for step in 0..100 {
            let now = Duration::from_secs(step);
            assert!(!single.observe(now, Duration::from_millis(79), Duration::from_millis(80)));
        }
    }

    #[test]
    fn a_load_that_is_too_much_for_the_quicker_pace_does_not_swing() {
        let (mut pace, mut now, mut changes) = (pace(), Duration::ZERO, 0);
        let old = pace.join();
        let mut last = pace.of(old);
        // The same rows each second: a step of twice as long pieces takes a little longer and comes half as often.
        for _ in 0..5_000 {
            let at = pace.existing();
            let period = Duration::from_millis(PERIODS[at]);
            now += period;
            pace.observe(now, Duration::from_millis([55, 60, 70][at]), period);
            changes += usize::from(pace.of(old) != last);
            last = pace.of(old);
        }
        assert_eq!((last, changes), (1, 1));
    }
}
