//! Counting calls against a limit, exactly, without a mailbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many calls are under way. One value has one owner (a tenant, a node), which everybody counts at.
#[derive(Debug, Default)]
pub struct Slots {
    taken: AtomicU32,
}

/// One call's place among [`Slots`]; free again when it is dropped, however the call ended.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
}

impl Slots {
    /// Takes a place, where fewer than `limit` are taken. Of many that ask at once exactly as many get one as
    /// there is room for.
    #[must_use]
    pub fn take(self: &Arc<Self>, limit: u32) -> Option<Slot> {
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| (taken < limit).then(|| taken + 1))
            .ok()
            .map(|_| Slot { slots: Arc::clone(self) })
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> u32 {
        self.taken.load(Ordering::Acquire)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_at_once_get_exactly_the_limit() {
        let slots = Arc::new(Slots::default());
        let got: Vec<Option<Slot>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| slots.take(37))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(got.iter().flatten().count(), 37);
        assert_eq!(slots.taken(), 37);
        drop(got);
        assert_eq!(slots.taken(), 0);
    }
}
