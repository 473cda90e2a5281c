//! The days on which businesses have calls. Each call names its day again, for whoever erases the business drops a
//! day on which nothing is listed; but not where this process named it a moment ago.
//!
//! That is safe because a day is dropped as of `settle_ms` before the look that found it empty (see `erase_listing`):
//! a call that was listed after that look was listed within half of `settle_ms` of asking here, and here an eighth of
//! it is the most that a day may be old. The rest is for clocks that differ.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Scylla;
use super::calls::{CALLS, day_of};
use super::cql::Statement;
use crate::clock::ms;
use crate::storage::Result;
use crate::types::TenantId;

/// What part of `settle_ms` a day that was named holds for.
const PARTS: u64 = 8;

/// When each business's latest day was named last.
#[derive(Debug)]
pub(super) struct Days {
    most: usize,
    named: Mutex<HashMap<TenantId, (i32, Instant)>>,
}

impl Days {
    pub(super) fn new(most: usize) -> Self {
        Self { most, named: Mutex::default() }
    }

    fn is_named(&self, tenant: &TenantId, day: i32, now: Instant, lasts: Duration) -> bool {
        let named = self.named.lock();
        named.get(tenant).is_some_and(|(named, at)| *named == day && now.duration_since(*at) < lasts)
    }

    /// `at`: before it was asked for.
    fn note(&self, tenant: &TenantId, day: i32, at: Instant) {
        let mut named = self.named.lock();
        if named.len() >= self.most.max(1) && !named.contains_key(tenant) {
            named.clear();
        }
        named.insert(tenant.clone(), (day, at));
    }
}

impl Scylla {
    /// Names a day on which the business has calls. It is many calls' own: it is written now, not in a call's era.
    pub(super) async fn name_day(&self, tenant: &TenantId, day: i32) -> Result<()> {
        let (now, lasts) = (self.cluster.clock.monotonic(), ms(self.cluster.settings.settle_ms / PARTS));
        // Days long past may be dropped as of now.
        let is_today = day == day_of(self.cluster.clock.now());
        if is_today && self.days.is_named(tenant, day, now, lasts) {
            return Ok(());
        }
        self.cluster.write(Statement::PutBucket, (tenant.as_str(), CALLS, day), None).await?;
        if is_today {
            self.days.note(tenant, day, now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_day_is_named_again_before_it_may_be_dropped() {
        let (days, lasts, began) = (Days::new(2), Duration::from_secs(1), Instant::now());
        let tenant = |name: &str| TenantId::new(name);
        let barbers = tenant("barbers");
        assert!(!days.is_named(&barbers, 7, began, lasts));
        days.note(&barbers, 7, began);
        assert!(days.is_named(&barbers, 7, began + lasts / 2, lasts));
        assert!(!days.is_named(&barbers, 7, began + lasts, lasts), "it is old");
        assert!(!days.is_named(&barbers, 8, began, lasts), "another day");
        assert!(!days.is_named(&tenant("garage"), 7, began, lasts), "another's");
        for number in 0..9 {
            days.note(&tenant(&format!("business-{number}")), 7, began);
        }
        assert!(days.named.lock().len() <= 2);
    }
}
