//! Who called whom lately: bounded, forgotten with time, and of this node alone.

use std::collections::{BTreeMap, VecDeque};

use super::Settings;
use crate::types::{PhoneNumber, Private, TenantId};

/// What a caller has done within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recent {
    /// Calls, this one not counted.
    pub calls: u32,
    /// Those of them that the caller ended at once.
    pub short: u32,
}

/// The callers of all businesses. `now_ms` is any clock that never goes back.
#[derive(Debug, Default)]
pub struct History {
    of: BTreeMap<TenantId, Callers>,
}

#[derive(Debug, Default)]
struct Callers {
    last_ms: u64,
    of: BTreeMap<Private<PhoneNumber>, Past>,
}

#[derive(Debug, Default)]
struct Past {
    last_ms: u64,
    began: VecDeque<u64>,
    short: VecDeque<u64>,
}

impl History {
    /// Takes note of a call that rings, and tells what its caller did before.
    pub fn began(
        &mut self,
        settings: &Settings,
        now_ms: u64,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
    ) -> Recent {
        self.forget(settings, now_ms, tenant, caller);
        let callers = self.of.entry(tenant.clone()).or_default();
        callers.last_ms = now_ms;
        let past = callers.of.entry(caller.clone()).or_default();
        past.forget(settings, now_ms);
        past.last_ms = now_ms;
        let recent = past.recent();
        // More than are many tell no more.
        keep(&mut past.began, now_ms, settings.calls_many);
        recent
    }

    /// Takes note that a caller hung up as soon as the call had begun.
    pub fn hung_up_at_once(
        &mut self,
        settings: &Settings,
        now_ms: u64,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
    ) {
        if let Some(past) = self.of.get_mut(tenant).and_then(|callers| callers.of.get_mut(caller)) {
            keep(&mut past.short, now_ms, settings.short_many);
        }
    }

    /// How many callers are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.of.values().map(|callers| callers.of.len()).sum()
    }

    /// Makes room for this caller of this business: by what is past its time, and where that is not enough by what
    /// is oldest.
    fn forget(&mut self, settings: &Settings, now_ms: u64, tenant: &TenantId, caller: &Private<PhoneNumber>) {
        let is_old = |last_ms: u64| last_ms.saturating_add(settings.window_ms) <= now_ms;
        if !self.of.contains_key(tenant) && self.of.len() >= settings.businesses_max {
            self.of.retain(|_, callers| !is_old(callers.last_ms));
            if self.of.len() >= settings.businesses_max {
                drop_oldest(&mut self.of, |callers| callers.last_ms);
            }
        }
        let Some(callers) = self.of.get_mut(tenant) else { return };
        if !callers.of.contains_key(caller) && callers.of.len() >= settings.callers_max {
            callers.of.retain(|_, past| !is_old(past.last_ms));
            if callers.of.len() >= settings.callers_max {
                drop_oldest(&mut callers.of, |past| past.last_ms);
            }
        }
    }
}

impl Past {
    fn forget(&mut self, settings: &Settings, now_ms: u64) {
        for moments in [&mut self.began, &mut self.short] {
            moments.retain(|moment| moment.saturating_add(settings.window_ms) > now_ms);
        }
    }

    fn recent(&self) -> Recent {
        let count = |moments: &VecDeque<u64>| u32::try_from(moments.len()).unwrap_or(u32::MAX);
        Recent { calls: count(&self.began), short: count(&self.short) }
    }
}

fn keep(moments: &mut VecDeque<u64>, now_ms: u64, most: u32) {
    moments.push_back(now_ms);
    while moments.len() > usize::try_from(most.max(1)).unwrap_or(usize::MAX) {
        moments.pop_front();
    }
}

fn drop_oldest<K: Ord + Clone, V>(of: &mut BTreeMap<K, V>, last_ms: impl Fn(&V) -> u64) {
    let oldest = of.iter().min_by_key(|(_, value)| last_ms(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        of.remove(&oldest);
    }
}
