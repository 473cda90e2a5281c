//! The places of tenants: a set of calls that expire, never a bare counter, so that a call that was forgotten frees
//! its place by itself.

use std::collections::BTreeMap;

use super::Full;
use crate::storage::coordination::Admission;
use crate::types::{CallId, TenantId};

/// Who has a place, and until when.
#[derive(Debug)]
pub(in crate::storage::coordination) struct Places {
    tenants: BTreeMap<TenantId, BTreeMap<CallId, u64>>,
    max: usize,
}

impl Places {
    /// At most `max` tenants, and as many calls of each.
    pub(in crate::storage::coordination) const fn new(max: usize) -> Self {
        Self { tenants: BTreeMap::new(), max }
    }

    pub(in crate::storage::coordination) fn admit(
        &mut self,
        now_ms: u64,
        tenant: &TenantId,
        call: CallId,
        limit: u32,
        ttl_ms: u64,
    ) -> Result<Admission, Full> {
        let max = self.max;
        let calls = self.living(now_ms, tenant)?;
        let in_use = count(calls.len());
        if !calls.contains_key(&call) {
            if in_use >= limit {
                return Ok(Admission::Full { in_use });
            }
            if calls.len() >= max {
                return Err(Full);
            }
        }
        calls.insert(call, until(now_ms, ttl_ms));
        Ok(Admission::Granted { in_use: count(calls.len()) })
    }

    pub(in crate::storage::coordination) fn hold(
        &mut self,
        now_ms: u64,
        tenant: &TenantId,
        held: &[CallId],
        ttl_ms: u64,
    ) -> Result<(), Full> {
        let max = self.max;
        let calls = self.living(now_ms, tenant)?;
        for call in held {
            if calls.len() >= max && !calls.contains_key(call) {
                return Err(Full);
            }
            calls.insert(*call, until(now_ms, ttl_ms));
        }
        Ok(())
    }

    pub(in crate::storage::coordination) fn leave(&mut self, tenant: &TenantId, call: CallId) {
        if let Some(calls) = self.tenants.get_mut(tenant) {
            calls.remove(&call);
            if calls.is_empty() {
                self.tenants.remove(tenant);
            }
        }
    }

    pub(in crate::storage::coordination) fn taken(&self, now_ms: u64, tenant: &TenantId) -> u32 {
        let calls = self.tenants.get(tenant);
        calls.map_or(0, |calls| count(calls.values().filter(|until| now_ms < **until).count()))
    }

    fn living(&mut self, now_ms: u64, tenant: &TenantId) -> Result<&mut BTreeMap<CallId, u64>, Full> {
        if self.tenants.len() >= self.max && !self.tenants.contains_key(tenant) {
            self.tenants.retain(|_, calls| calls.values().any(|until| now_ms < *until));
            if self.tenants.len() >= self.max {
                return Err(Full);
            }
        }
        let calls = self.tenants.entry(tenant.clone()).or_default();
        calls.retain(|_, until| now_ms < *until);
        Ok(calls)
    }
}

fn until(now_ms: u64, ttl_ms: u64) -> u64 {
    now_ms.saturating_add(ttl_ms.max(1))
}

fn count(places: usize) -> u32 {
    u32::try_from(places).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(number: u8) -> CallId {
        CallId::new(uuid::Uuid::from_u128(number.into()))
    }

    proptest! {
        /// Whatever happens in whatever order: never more are admitted than the limit says, and a call that was
        /// admitted and is prolonged in time keeps its place.
        #[test]
        fn never_more_than_the_limit(
            steps in prop::collection::vec((0_u8..12, 0_u8..3, 0_u64..40), 1..200),
            limit in 1_u32..5,
        ) {
            let (mut places, mut now, tenant) = (Places::new(100), 0, TenantId::new("a"));
            let mut model = std::collections::BTreeMap::<u8, u64>::new();
            for (number, what, later) in steps {
                now += later;
                model.retain(|_, until| now < *until);
                if what == 0 {
                    places.leave(&tenant, call(number));
                    model.remove(&number);
                } else {
                    let answer = places.admit(now, &tenant, call(number), limit, 60).expect("room");
                    let known = model.contains_key(&number);
                    if known || model.len() < limit as usize {
                        model.insert(number, now + 60);
                        prop_assert_eq!(answer, Admission::Granted { in_use: model.len() as u32 });
                    } else {
                        prop_assert_eq!(answer, Admission::Full { in_use: model.len() as u32 });
                    }
                }
                prop_assert_eq!(places.taken(now, &tenant), model.len() as u32);
                prop_assert!(model.len() <= limit as usize);
            }
        }
    }

    #[test]
    fn calls_that_go_on_are_held_above_the_limit() {
        let (mut places, tenant) = (Places::new(100), TenantId::new("a"));
        places.hold(0, &tenant, &[call(1), call(2), call(3)], 10).expect("room");
        assert_eq!(places.admit(5, &tenant, call(4), 2, 10), Ok(Admission::Full { in_use: 3 }));
        assert_eq!(places.admit(10, &tenant, call(4), 2, 10), Ok(Admission::Granted { in_use: 1 }));
    }

    #[test]
    fn it_is_bounded() {
        let mut places = Places::new(2);
        for name in ["a", "b"] {
            places.hold(0, &TenantId::new(name), &[call(1), call(2)], 10).expect("room");
        }
        assert_eq!(places.admit(0, &TenantId::new("c"), call(1), 9, 10), Err(Full));
        assert_eq!(places.admit(0, &TenantId::new("a"), call(3), 9, 10), Err(Full));
        assert!(places.admit(10, &TenantId::new("c"), call(1), 9, 10).is_ok(), "the others have expired");
    }
}
