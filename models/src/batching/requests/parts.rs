//! Works that take more than one pass.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Asked, Asking, Pass, Requests};
use crate::batching::Tenant;

/// What a work that is not done costs from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct More {
    /// Its next pass; at least 1.
    pub cost: u32,
    /// What comes after that, as far as can be told by now.
    pub rest: u32,
}

impl<W: Ord, A> Requests<W, A> {
    /// A pass is over in which not all works were done: `more` says of each, in their order, what it costs from here on;
    /// none of one that is done. As [`Self::finish`] it says who gets the answers; of those that go on nobody does yet.
    pub fn finish_some(&mut self, pass: u64, more: &[Option<More>], now: Duration) -> Vec<Vec<A>> {
        let Some(Pass { jobs, cost, began, .. }) = self.passes.remove(&pass) else { return Vec::new() };
        self.times.record(jobs.len(), cost, now.saturating_sub(began));
        let mut more = more.iter().copied();
        let mut over = |number: u64| match more.next().flatten() {
            Some(more) => {
                self.go_on(number, more);
                Vec::new()
            }
            None => self.end(number),
        };
        jobs.into_iter().map(&mut over).collect()
    }

    /// Back into the lines of all who wait for it.
    fn go_on(&mut self, number: u64, more: More) {
        let Some(job) = self.jobs.get_mut(&number) else { return };
        (job.cost, job.rest) = (more.cost.max(1), more.rest);
        (job.is_in_hand, job.is_begun) = (false, true);
        let (asks, turn_of) = (job.asks.clone(), job.turn_of.take());
        let wanted = !asks.is_empty();
        asks.into_iter().for_each(|ask| self.line_up(number, ask));
        turn_of.into_iter().for_each(|tenant| self.queue.back(tenant));
        if !wanted {
            return self.drop_work(number);
        }
        // The device is warm: no reason to gather.
        self.waiting_since = Some(Duration::ZERO);
    }

    /// Nobody waits for it any more.
    pub(super) fn drop_work(&mut self, number: u64) {
        let Some(job) = self.jobs.remove(&number) else { return };
        self.same.remove(&job.work);
        if job.is_begun {
            self.dropped.push(job.work);
        }
    }

    /// What works in hand cost when they come back, by who waits for them; without the asker's own that have a later
    /// deadline, for these go after it.
    pub(super) fn away(&self, asking: Asking) -> BTreeMap<Tenant, u64> {
        let mut away = BTreeMap::new();
        let going_on = self.passes.values().filter(|pass| pass.goes_on).flat_map(|pass| &pass.jobs);
        for job in going_on.filter_map(|job| self.jobs.get(job)) {
            let asked = job.asks.first().and_then(|ask| self.asks.get(ask));
            let goes_after =
                |asked: &Asked<A>| asked.tenant == asking.tenant && asked.deadline > asking.deadline;
            if let Some(asked) = asked.filter(|asked| job.rest > 0 && !goes_after(asked)) {
                *away.entry(asked.tenant).or_default() += u64::from(job.rest);
            }
        }
        away
    }
}
