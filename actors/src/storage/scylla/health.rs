//! Tries the session now and then, reads the driver's figures, and makes a new session where all connections
//! stay broken.

use std::sync::{Arc, Weak};

use metrics::{counter, gauge};
use scylla::client::session::Session;

use super::ask::Cluster;
use super::connect::Live;
use super::cql::Statement;
use super::metrics::{
    CONNECT_TIMEOUTS, CONNECTIONS, DRIVER_RETRIES, FAILURES, LATENCY_MS, REQUESTS, SESSIONS_REBUILT, TIMEOUTS,
};
use crate::clock::ms;

/// Watches until the store is dropped.
pub(super) async fn watch(cluster: Weak<Cluster>) {
    let (mut failures, mut seen) = (0, Seen::default());
    loop {
        let Some(cluster) = cluster.upgrade() else { return };
        seen.publish(&cluster.live.load().session);
        let pinged: super::ask::Tried<Vec<(String,)>> = cluster.try_rows(Statement::Ping, &(), 1).await;
        failures = if pinged.is_ok() { 0 } else { failures + 1 };
        if failures >= cluster.settings.health_failures_max.max(1) {
            failures = 0;
            rebuild(&cluster, &mut seen).await;
        }
        let pause = ms(cluster.settings.health_ms.max(1));
        drop(cluster);
        tokio::time::sleep(pause).await;
    }
}

async fn rebuild(cluster: &Cluster, seen: &mut Seen) {
    match Live::open(&cluster.settings).await {
        Ok(live) => {
            cluster.live.store(Arc::new(live));
            *seen = Seen::default();
            counter!(SESSIONS_REBUILT).increment(1);
            tracing::warn!("the session with the store's cluster was made anew");
        }
        Err(error) => tracing::error!(%error, "the store's cluster can't be reached"),
    }
}

/// The driver's counts when they were last read.
#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    failures: u64,
    retries: u64,
    timeouts: u64,
    connect_timeouts: u64,
}

impl Seen {
    fn publish(&mut self, session: &Session) {
        let figures = session.get_metrics();
        for (quantile, percent) in [("0.5", 50.0), ("0.95", 95.0), ("0.99", 99.0), ("0.999", 99.9)] {
            // There is none before the first request.
            if let Ok(latency_ms) = figures.get_latency_percentile_ms(percent) {
                gauge!(LATENCY_MS, "quantile" => quantile).set(latency_ms as f64);
            }
        }
        gauge!(CONNECTIONS).set(figures.get_total_connections() as f64);
        let requests = figures.get_requests_unpaged_num() + figures.get_requests_manually_paged_num();
        let failures = figures.get_errors_unpaged_num() + figures.get_errors_manually_paged_num();
        for (name, seen, now) in [
            (REQUESTS, &mut self.requests, requests),
            (FAILURES, &mut self.failures, failures),
            (DRIVER_RETRIES, &mut self.retries, figures.get_retries_num()),
            (TIMEOUTS, &mut self.timeouts, figures.get_request_timeouts()),
            (CONNECT_TIMEOUTS, &mut self.connect_timeouts, figures.get_connection_timeouts()),
        ] {
            counter!(name).increment(now.saturating_sub(*seen));
            *seen = now;
        }
    }
}
