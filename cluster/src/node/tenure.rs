//! This process's time as its node's latest life: from when its store is reached until another takes its name over.
//!
//! ```text
//! store away ──▶ reached: the node is taken over ──▶ what earlier lives left is closed ──▶ looked after, again and again
//! ```
//! A store is written to only once the node was taken over there, so that a process which was superseded finds out
//! before it could take anything of its successor's for a dead one's.

use std::sync::Arc;
use std::time::Duration;

use actors::storage;
use actors::storage::coordination::Coordination;
use actors::storage::journal::Journalled;
use actors::storage::recordings::{self, Recordings};
use actors::storage::scylla::{Scylla, Settings as ClusterSettings};
use actors::supervision::{Standing, begin_life, standing, start_again};
use actors::types::{Life, RecordingId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Settings;
use super::store::Store;

/// How often what could not be closed yet is tried again.
const CLOSE_AGAIN: Duration = Duration::from_secs(2);

/// A process's time as its node's latest life.
pub(super) struct Tenure {
    pub(super) life: Life,
    pub(super) store: Store,
    pub(super) coordination: Arc<dyn Coordination>,
    pub(super) settings: Settings,
    pub(super) scylla: ClusterSettings,
    /// Recordings of calls that were closed: what was kept of them is to be brought to an end.
    pub(super) cut_short: Vec<RecordingId>,
}

/// How it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// Everything that earlier lives left was closed; so many calls.
    Whole(usize),
    /// So many calls were closed; others are still to be.
    Partly(usize),
    /// The store is away.
    Away,
}

impl Begun {
    /// Calls of earlier lives that were closed.
    pub(super) const fn calls_closed(self) -> usize {
        match self {
            Self::Whole(closed) | Self::Partly(closed) => closed,
            Self::Away => 0,
        }
    }
}

impl Tenure {
    /// Reaches the store, takes the node over, and closes what earlier lives left, as far as that can be done soon.
    ///
    /// # Errors
    /// The store is not one that this program can use.
    pub(super) async fn begin(&mut self) -> storage::Result<Begun> {
        let patience = Duration::from_millis(self.settings.store_wait_ms);
        match timeout(patience, self.reach()).await {
            Ok(Ok(())) => {}
            Ok(Err(storage::Error::Unavailable { why } | storage::Error::Unknown { why })) => {
                return self.is_away(why);
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => return self.is_away(format!("no answer within {} ms", patience.as_millis())),
        }
        if let Store::Cluster(journal) = &self.store
            && timeout(patience, journal.all_written()).await.is_err()
        {
            tracing::warn!(waiting = journal.waiting().rows, "earlier writes still wait in the journal");
        }
        let storage = self.store.storage();
        match timeout(patience, start_again(&*storage, &*self.coordination, &self.life)).await {
            Ok(Ok(closed)) => {
                self.cut_short.extend(closed.recordings);
                Ok(if closed.left == 0 { Begun::Whole(closed.calls) } else { Begun::Partly(closed.calls) })
            }
            Ok(Err(storage::Error::Unavailable { .. } | storage::Error::Unknown { .. }))
                if self.is_shared() =>
            {
                Ok(Begun::Partly(0))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(Begun::Partly(0)),
        }
    }

    fn is_away(&self, why: String) -> storage::Result<Begun> {
        match &self.store {
            // Nothing is behind it: without its own file a node has nothing to serve from.
            Store::Embedded(_) | Store::Nowhere(_) => Err(storage::Error::Unavailable { why }),
            Store::Cluster(journal) => {
                tracing::warn!(
                    why,
                    "the store is away; calls are taken for the numbers in the address book, and \
                    what they leave is kept in the journal"
                );
                journal.has_not_arrived(why);
                Ok(Begun::Away)
            }
        }
    }

    const fn is_shared(&self) -> bool {
        matches!(self.store, Store::Cluster(_))
    }

    /// Connects, and takes the node over before anything is written.
    async fn reach(&self) -> storage::Result<()> {
        match &self.store {
            Store::Embedded(store) => begin_life(&**store, &self.life).await.map(drop),
            Store::Nowhere(store) => begin_life(&**store, &self.life).await.map(drop),
            Store::Cluster(journal) => self.reach_cluster(journal).await,
        }
    }

    async fn reach_cluster(&self, journal: &Journalled) -> storage::Result<()> {
        let cluster = Arc::new(Scylla::open(&self.scylla).await?);
        let epoch = begin_life(&*cluster, &self.life).await?;
        tracing::info!(node = self.life.node, epoch, "the store is reached");
        journal.arrived(cluster);
        Ok(())
    }

    /// Goes on from there for as long as the process is its node's latest life, in a task. A file is this
    /// process's alone, and nobody takes it over.
    pub(super) fn hold(self, begun: Begun, recordings: Recordings) -> Held {
        let (superseded, told) = watch::channel(false);
        Held { task: tokio::spawn(self.run(begun, recordings, superseded)), superseded: told }
    }

    async fn run(mut self, begun: Begun, recordings: Recordings, superseded: watch::Sender<bool>) {
        if let (Begun::Away, Store::Cluster(journal)) = (begun, &self.store) {
            self.wait_for(journal).await;
        }
        let mut is_whole = matches!(begun, Begun::Whole(_));
        loop {
            if !is_whole {
                is_whole = self.close_what_is_left().await;
            }
            self.salvage(&recordings).await;
            if !self.is_shared() && self.cut_short.is_empty() {
                // Kept, so that nobody takes its end for another's start.
                superseded.closed().await;
                return;
            }
            let check = Duration::from_millis(self.settings.standing_ms.max(100));
            sleep(if is_whole { check } else { CLOSE_AGAIN.min(check) }).await;
            match standing(&*self.store.storage(), &self.life).await {
                Ok(Standing::Latest { .. }) => {}
                Ok(Standing::Superseded) => break,
                Err(error) => tracing::debug!(%error, "whether this node was superseded is not known"),
            }
        }
        tracing::error!(
            node = self.life.node,
            "another process of this name was started; this one takes no more calls and ends when those under way \
             are over. If it was meant to be another node, give it a node.name and a data directory of its own"
        );
        // Nobody listens while the node stops.
        let _ = superseded.send(true);
    }

    async fn wait_for(&self, journal: &Journalled) {
        let mut told = String::new();
        loop {
            match self.reach().await {
                Ok(()) => return,
                Err(error) => {
                    let why = error.to_string();
                    if why != told {
                        tracing::warn!(why, "the store is still away");
                    }
                    journal.has_not_arrived(why.clone());
                    told = why;
                }
            }
            sleep(Duration::from_millis(self.settings.store_again_ms.max(100))).await;
        }
    }

    /// Brings the recordings of closed calls to an end, and leaves those for later that can't be reached.
    async fn salvage(&mut self, recordings: &Recordings) {
        let mut left = Vec::new();
        for recording in std::mem::take(&mut self.cut_short) {
            match recordings.salvage(recording).await {
                Ok(_) => {}
                Err(recordings::Error::NotFound) => {}
                Err(error) => {
                    tracing::debug!(%error, "a dead call's recording is left for later");
                    left.push(recording);
                }
            }
        }
        self.cut_short = left;
    }

    async fn close_what_is_left(&mut self) -> bool {
        match start_again(&*self.store.storage(), &*self.coordination, &self.life).await {
            Ok(closed) => {
                self.cut_short.extend(closed.recordings);
                closed.left == 0
            }
            Err(error) => {
                tracing::debug!(%error, "what a dead process left could not be closed yet");
                false
            }
        }
    }
}

/// A tenure under way.
pub(super) struct Held {
    task: JoinHandle<()>,
    superseded: watch::Receiver<bool>,
}

impl Held {
    /// Waits until another process has taken the node over.
    pub(super) async fn is_superseded(&self) {
        let mut told = self.superseded.clone();
        if told.wait_for(|superseded| *superseded).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.task.abort();
    }
}
