//! A timer wheel: any number of timers for the price of one.

/// Milliseconds since the wheel's owner began.
pub type Moment = u64;

/// Timers in slots of [`TICK_MS`]. A timer fires at its time or up to one tick later, never before.
///
/// Timers are not cancelled: who set one ignores it when it is no longer wanted.
#[derive(Debug)]
pub struct Wheel<T> {
    slots: Vec<Vec<(u64, T)>>,
    tick: u64,
    pending: usize,
}

/// The length of a tick, in milliseconds.
pub const TICK_MS: u64 = 10;

const SLOTS: usize = 1024;

impl<T> Wheel<T> {
    /// An empty wheel at this moment.
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), tick: now / TICK_MS, pending: 0 }
    }

    /// How many timers wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pending
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// Sets a timer. `now` lets a wheel that stood still catch up without turning.
    pub fn set(&mut self, now: Moment, at: Moment, what: T) {
        if self.pending == 0 {
            self.tick = self.tick.max(now / TICK_MS);
        }
        let tick = at.div_ceil(TICK_MS).max(self.tick + 1);
        if let Some(slot) = self.slots.get_mut(Self::slot(tick)) {
            slot.push((tick, what));
            self.pending += 1;
        }
    }

    /// Turns the wheel to this moment and takes what is due, in order of ticks.
    pub fn advance(&mut self, now: Moment, due: &mut Vec<T>) {
        let target = now / TICK_MS;
        if self.pending == 0 {
            self.tick = self.tick.max(target);
            return;
        }
        while self.tick < target {
            self.tick += 1;
            let tick = self.tick;
            let Some(slot) = self.slots.get_mut(Self::slot(tick)) else { continue };
            let mut index = 0;
            while let Some((at, _)) = slot.get(index) {
                if *at <= tick {
                    due.push(slot.swap_remove(index).1);
                    self.pending -= 1;
                } else {
                    index += 1;
                }
            }
            // It comes again in ten seconds only: to make its room anew costs less than to keep that of all of them.
            if slot.is_empty() {
                *slot = Vec::new();
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder of 1,024 fits")]
    const fn slot(tick: u64) -> usize {
        (tick % SLOTS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_at_their_time_and_once_however_far_they_are() {
        let mut wheel = Wheel::new(5);
        for at in [500, 1_000, 32_000, 64_000, 505] {
            wheel.set(5, at, at);
        }
        let mut fired = Vec::new();
        for now in (5..70_000).step_by(7) {
            let mut due = Vec::new();
            wheel.advance(now, &mut due);
            for at in due {
                assert!(now >= at && now < at + TICK_MS + 7, "{at} fired at {now}");
                fired.push(at);
            }
        }
        assert_eq!(fired, [500, 505, 1_000, 32_000, 64_000]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn an_empty_wheel_keeps_no_room() {
        let mut wheel = Wheel::new(0);
        for at in 0..30_000 {
            wheel.set(0, at, at);
        }
        wheel.advance(30_000, &mut Vec::new());
        assert!(wheel.is_empty());
        assert!(wheel.slots.iter().all(|slot| slot.capacity() == 0));
    }

    #[test]
    fn a_long_pause_loses_nothing() {
        let mut wheel = Wheel::new(0);
        wheel.set(0, 50, "a");
        wheel.set(0, 100_000, "b");
        let mut due = Vec::new();
        wheel.advance(200_000, &mut due);
        assert_eq!(due, ["a", "b"]);
    }
}
