//! How long a call's events are kept: as its business says. Kept in mind, since it is asked for at every event.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Scylla;
use super::cql::Statement;
use crate::clock::ms;
use crate::storage::Result;
use crate::types::{CallId, TenantId};

/// The longest time to live that Cassandra takes: 20 years, in seconds.
const TTL_SECONDS_MAX: i64 = 20 * 365 * 86_400;

/// What is kept in mind.
#[derive(Debug, Default)]
pub(super) struct Retention {
    tenants: Mutex<HashMap<CallId, TenantId>>,
    days: Mutex<HashMap<TenantId, (u32, Instant)>>,
}

impl Retention {
    /// Remembers whose a call is.
    pub(super) fn knows(&self, call: CallId, tenant: &TenantId, most: usize) {
        let mut tenants = self.tenants.lock();
        // Forgetting costs one read per call that goes on; it is not worth keeping an order.
        if tenants.len() >= most.max(1) {
            tenants.clear();
        }
        tenants.insert(call, tenant.clone());
    }

    fn tenant(&self, call: CallId) -> Option<TenantId> {
        self.tenants.lock().get(&call).cloned()
    }

    fn days(&self, tenant: &TenantId, now: Instant, fresh: Duration) -> Option<u32> {
        let days = self.days.lock();
        days.get(tenant).filter(|(_, read)| now.duration_since(*read) < fresh).map(|(days, _)| *days)
    }

    fn keep_days(&self, tenant: &TenantId, kept: u32, now: Instant, most: usize) {
        let mut days = self.days.lock();
        if days.len() >= most.max(1) {
            days.clear();
        }
        days.insert(tenant.clone(), (kept, now));
    }
}

/// Days of retention as a time to live: a day more, so that what is kept longest is all there until it is deleted
/// as a whole. 0 keeps.
fn ttl_seconds(days: u32) -> i32 {
    if days == 0 {
        return 0;
    }
    i32::try_from(((i64::from(days) + 1) * 86_400).min(TTL_SECONDS_MAX)).unwrap_or(i32::MAX)
}

impl Scylla {
    /// The time to live of a call's events, in seconds; 0 for ever.
    pub(super) async fn events_ttl(&self, call: CallId) -> Result<i32> {
        let settings = &self.cluster.settings;
        let tenant = match self.retention.tenant(call) {
            Some(tenant) => tenant,
            None => {
                let row: Option<(Option<String>,)> =
                    self.cluster.row(Statement::CallTenant, (call.as_uuid(),)).await?;
                // Events of a call that has no row yet are kept.
                let Some((Some(tenant),)) = row else { return Ok(0) };
                let tenant = TenantId::new(tenant);
                self.retention.knows(call, &tenant, settings.retention_cached_max);
                tenant
            }
        };
        let now = self.cluster.clock.monotonic();
        if let Some(days) = self.retention.days(&tenant, now, ms(settings.retention_cached_ms)) {
            return Ok(ttl_seconds(days));
        }
        let business = self.business_row(&tenant).await?;
        let days = business.map_or(0, |business| business.policy.retention_days);
        self.retention.keep_days(&tenant, days, now, settings.retention_cached_max);
        Ok(ttl_seconds(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_becomes_a_time_to_live_within_bounds() {
        assert_eq!([0, 1, 90].map(ttl_seconds), [0, 2 * 86_400, 91 * 86_400]);
        assert_eq!(i64::from(ttl_seconds(u32::MAX)), TTL_SECONDS_MAX);
    }
}
