//! The store of a cluster: ScyllaDB, or Apache Cassandra 5, through one subset of CQL (see `subset`). The only place
//! that names the driver.
//!
//! Two keyspaces: `<prefix>_data` for what one writer at a time writes, kept by a majority of the node's data
//! centre; `<prefix>_lwt`, without tablets, for what is decided once: by comparison in one partition, by a majority
//! of all. Nothing is deleted and written again under one key but by comparison or by its one writer, and no NULL
//! is written. A change whose outcome is unknown is read after all that is under way (SERIAL) and decided anew, or
//! else is [`super::Error::Unknown`].
//!
//! Each write of a row with one writer wins by its time. Calls change hands, and whoever had one before may be
//! frozen and write late: `claims` says why that changes nothing, whatever the clocks.

mod ask;
mod audit;
mod businesses;
mod calendar;
mod calls;
mod claims;
mod connect;
mod contract;
mod cql;
mod days;
mod emails;
mod erase_call;
mod erase_caller;
mod erase_left;
mod erase_listing;
mod erase_tenant;
mod events;
mod examine;
mod failure;
mod health;
mod keys;
mod listing;
mod messages;
pub mod metrics;
mod migrate;
mod numbers;
mod open_calls;
mod outcomes;
mod overlay;
mod own_calls;
mod owners;
mod portable;
mod recordings;
mod refused;
mod retention;
mod schema;
mod settings;
mod sound;
mod states;
mod subset;
mod turns;
mod users;

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::Result;
use crate::chance::Chance;
use crate::clock::Clock;

use ask::Cluster;
use connect::Live;
use days::Days;
use own_calls::OwnCalls;
use retention::Retention;
use states::States;
use turns::Turns;

pub use migrate::migrate;
pub use settings::{Credentials, Settings, Tls};

/// A store in a cluster. Dropping it closes its connections.
#[derive(Debug)]
pub struct Scylla {
    cluster: Arc<Cluster>,
    turns: Turns,
    retention: Retention,
    own_calls: OwnCalls,
    states: States,
    days: Days,
    /// The day of open calls that was noted last, and when.
    open_day: Mutex<Option<(i32, Instant)>>,
    /// Who this process is among those that probe the store.
    node: Uuid,
    watch: JoinHandle<()>,
}

impl Scylla {
    /// Connects to the cluster, whose tables must be there.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`] where the cluster can't be reached, [`super::Error::Corrupt`] where its tables
    /// are not those that this program knows; the error says which command mends that.
    pub async fn open(settings: &Settings) -> Result<Self> {
        let (session, _) = connect::session(settings).await?;
        migrate::check_layout(&session, settings).await?;
        drop(session);
        let live = Live::open(settings).await?;
        let (clock, chance) = (Clock::system(), Chance::system());
        let node = chance.id(clock.now());
        let live = ArcSwap::from_pointee(live);
        let cluster = Arc::new(Cluster { live, settings: settings.clone(), clock, chance });
        let watch = tokio::spawn(health::watch(Arc::downgrade(&cluster)));
        let (turns, retention, open_day) = (Turns::new(), Retention::default(), Mutex::default());
        let most = settings.retention_cached_max;
        let (own_calls, states, days) = (OwnCalls::new(most), States::new(most), Days::new(most));
        Ok(Self { cluster, turns, retention, own_calls, states, days, open_day, node, watch })
    }
}

impl Scylla {
    /// Waits until nothing else of this node changes what has this name.
    async fn turn(&self, name: &str) -> Result<tokio::sync::MutexGuard<'_, ()>> {
        self.turns.of(name, crate::clock::ms(self.cluster.settings.total_ms)).await
    }
}

impl Drop for Scylla {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

#[cfg(test)]
mod tests;
