//! One node alone: the same interface over tables in its own memory.

use std::fmt;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::hints::Subscribers;
use super::tables::{Calls, Checkpoints, Full, Leases, Places, Rates};
use super::{
    Acquired, Admission, CheckpointWrite, Coordination, Error, Hints, LiveCall, NodeRun, Rate, Result,
    Settings, Spent, VersionedState,
};
use crate::clock::Clock;
use crate::types::{CallId, TenantId};

/// What one node would share if there were others. Nothing outlives the process.
pub struct Local {
    clock: Clock,
    began: Instant,
    settings: Settings,
    tables: Mutex<Tables>,
    subscribers: Subscribers,
}

struct Tables {
    places: Places,
    calls: Calls,
    checkpoints: Checkpoints,
    leases: Leases,
    rates: Rates,
}

impl Local {
    /// Empty tables, bounded by the settings.
    #[must_use]
    pub fn new(settings: &Settings, clock: Clock) -> Self {
        let max = settings.entries_max;
        Self {
            began: clock.monotonic(),
            clock,
            settings: settings.clone(),
            tables: Mutex::new(Tables {
                places: Places::new(max),
                calls: Calls::new(max),
                checkpoints: Checkpoints::new(max),
                leases: Leases::new(max),
                rates: Rates::new(max),
            }),
            subscribers: Subscribers::default(),
        }
    }

    /// Does something with the tables at the time it is now, in milliseconds that never go back.
    fn with<T>(&self, act: impl FnOnce(&mut Tables, u64) -> std::result::Result<T, Full>) -> Result<T> {
        let mut tables = self.tables.lock();
        let since = self.clock.monotonic().duration_since(self.began);
        let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        act(&mut tables, now_ms)
            .map_err(|Full| Error::unavailable(format!("{} entries are kept", self.settings.entries_max)))
    }
}

#[async_trait]
impl Coordination for Local {
    async fn admit(&self, tenant: &TenantId, call: CallId, limit: u32, ttl_ms: u64) -> Result<Admission> {
        self.with(|tables, now| tables.places.admit(now, tenant, call, limit, ttl_ms))
    }

    async fn hold_places(&self, tenant: &TenantId, calls: &[CallId], ttl_ms: u64) -> Result<()> {
        self.with(|tables, now| tables.places.hold(now, tenant, calls, ttl_ms))
    }

    async fn leave(&self, tenant: &TenantId, call: CallId) -> Result<()> {
        self.with(|tables, _| {
            tables.places.leave(tenant, call);
            Ok(())
        })
    }

    async fn places_taken(&self, tenant: &TenantId) -> Result<u32> {
        self.with(|tables, now| Ok(tables.places.taken(now, tenant)))
    }

    async fn put_calls(&self, calls: &[LiveCall], ttl_ms: u64) -> Result<Vec<CallId>> {
        self.with(|tables, now| {
            let mut others = Vec::new();
            for call in calls {
                if !tables.calls.put(now, call, ttl_ms)? {
                    others.push(call.call);
                }
            }
            Ok(others)
        })
    }

    async fn live_call(&self, call: CallId) -> Result<Option<LiveCall>> {
        self.with(|tables, now| Ok(tables.calls.get(now, call)))
    }

    async fn calls_of(&self, node: &NodeRun, limit: usize) -> Result<Vec<LiveCall>> {
        self.with(|tables, now| Ok(tables.calls.of(now, node, limit)))
    }

    async fn claim_call(&self, call: CallId, from: &NodeRun, to: &NodeRun, ttl_ms: u64) -> Result<bool> {
        self.with(|tables, now| tables.calls.claim(now, call, from, to, ttl_ms))
    }

    async fn remove_call(&self, call: CallId, node: &NodeRun) -> Result<()> {
        self.with(|tables, now| {
            if tables.calls.remove(now, call, node) {
                tables.checkpoints.remove(call);
            }
            Ok(())
        })
    }

    async fn put_checkpoint(
        &self,
        call: CallId,
        version: u64,
        state: &[u8],
        ttl_ms: u64,
    ) -> Result<CheckpointWrite> {
        self.settings.check_state(state)?;
        let state = VersionedState { version, state: state.to_vec() };
        self.with(|tables, now| tables.checkpoints.put(now, call, state, ttl_ms))
    }

    async fn checkpoint(&self, call: CallId) -> Result<Option<VersionedState>> {
        self.with(|tables, now| Ok(tables.checkpoints.get(now, call)))
    }

    async fn drop_checkpoint(&self, call: CallId, claim: u32, ttl_ms: u64) -> Result<()> {
        self.with(|tables, now| {
            tables.checkpoints.forget(now, call, VersionedState::last_of(claim), ttl_ms);
            Ok(())
        })
    }

    async fn acquire(&self, lease: &str, owner: &NodeRun, ttl_ms: u64) -> Result<Acquired> {
        let seed = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        self.with(|tables, now| tables.leases.acquire(now, seed, lease, owner, ttl_ms))
    }

    async fn renew(&self, lease: &str, owner: &NodeRun, token: u64, ttl_ms: u64) -> Result<bool> {
        self.with(|tables, now| tables.leases.renew(now, lease, owner, token, ttl_ms))
    }

    async fn release(&self, lease: &str, owner: &NodeRun, token: u64) -> Result<bool> {
        self.with(|tables, now| Ok(tables.leases.release(now, lease, owner, token)))
    }

    async fn spend(&self, limit: &str, rate: Rate) -> Result<Spent> {
        self.with(|tables, now| tables.rates.spend(now, limit, rate))
    }

    async fn publish(&self, channel: &str, hint: &[u8]) -> Result<()> {
        self.subscribers.tell(channel, hint);
        Ok(())
    }

    async fn subscribe(&self, channel: &str) -> Result<Hints> {
        Ok(self.subscribers.listen(channel, self.settings.hints_waiting_max).0)
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Local")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::coordination::conformance::{Shared, conformance};

    fn alone() -> (Shared, ()) {
        let settings = Settings { checkpoint_bytes_max: 1_000, hints_waiting_max: 8, ..Settings::default() };
        (Arc::new(Local::new(&settings, Clock::system())), ())
    }

    conformance!(alone());
}
