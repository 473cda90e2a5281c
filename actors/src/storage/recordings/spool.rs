//! The spool: a local folder where segments wait for a store that is slow or away. What waits survives a restart,
//! and goes in order: of each recording one segment after the other, and each leaves the folder when the store has
//! it. A call never waits for the network.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use metrics::{counter, gauge};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, RwLock};
use tokio::time::Instant;

use super::objects::{Objects, asked};
use super::{Result, remote};
use crate::storage::metrics::{SPOOL_BYTES, SPOOL_SEGMENTS};

/// How often stopping looks whether all is sent.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Bounds of the spool. Used where the recordings lie over the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The most that waits, in bytes; what comes then is lost, and counted. A call makes 16 KB a second.
    pub bytes_max: u64,
    /// Recordings whose segments are sent at once.
    pub sending_max: usize,
    /// The wait after a segment could not be sent, in milliseconds; doubled each time.
    pub retry_ms: u64,
    /// The longest such wait, in milliseconds.
    pub retry_max_ms: u64,
    /// How long stopping waits until all is sent, in milliseconds; what is left then waits for the next start.
    pub stop_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bytes_max: 8 << 30, sending_max: 16, retry_ms: 500, retry_max_ms: 30_000, stop_ms: 5_000 }
    }
}

/// Segments on their way.
#[derive(Debug)]
pub(super) struct Spool {
    pub(super) store: Arc<dyn ObjectStore>,
    settings: Settings,
    bytes: AtomicU64,
    came: Notify,
    /// Held to read while a segment moves, to write while a recording's objects are removed.
    pub(super) moving: RwLock<()>,
}

impl Spool {
    /// Opens the spool in a folder, with what still waits there.
    pub(super) fn open(folder: &Path, settings: &Settings) -> Result<Self> {
        let store = remote::in_folder(folder)?.store;
        let bytes = AtomicU64::new(size_of(folder));
        let (came, moving) = (Notify::new(), RwLock::new(()));
        Ok(Self { store, settings: settings.clone(), bytes, came, moving })
    }

    /// Keeps a segment until it is sent.
    pub(super) async fn put(&self, object: &ObjectPath, sealed: PutPayload) -> object_store::Result<()> {
        let length = sealed.content_length() as u64;
        if self.bytes.load(Ordering::Relaxed).saturating_add(length) > self.settings.bytes_max {
            let why = format!("more than {} bytes wait to be sent", self.settings.bytes_max);
            return Err(object_store::Error::Generic { store: "spool", source: why.into() });
        }
        self.store.put(object, sealed).await?;
        self.count(length, true);
        self.came.notify_one();
        Ok(())
    }

    /// Removes a segment that waits, if it does.
    pub(super) async fn remove(&self, object: &ObjectPath) -> object_store::Result<()> {
        let length = match self.store.head(object).await {
            Ok(found) => found.size,
            Err(object_store::Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.store.delete(object).await?;
        self.count(length, false);
        Ok(())
    }

    fn count(&self, length: u64, more: bool) {
        let update =
            |bytes: u64| if more { bytes.saturating_add(length) } else { bytes.saturating_sub(length) };
        let before =
            self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bytes| Some(update(bytes)));
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        gauge!(SPOOL_BYTES).set(update(before.unwrap_or_default()) as f64);
    }

    /// Sends what waits, for ever. Whatever is not sent when this is dropped is sent by the next process.
    pub(super) async fn run(self: Arc<Self>, far: Arc<dyn ObjectStore>) {
        let mut wait_ms = self.settings.retry_ms;
        loop {
            match self.round(&far).await {
                Ok(0) => self.came.notified().await,
                Ok(_) => wait_ms = self.settings.retry_ms,
                Err(error) => {
                    tracing::warn!(%error, waiting_bytes = self.bytes.load(Ordering::Relaxed),
                        "segments wait in the spool: the store of recordings did not take them");
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    wait_ms = wait_ms.saturating_mul(2).min(self.settings.retry_max_ms);
                }
            }
        }
    }

    /// Waits a bounded while until all is sent.
    pub(super) async fn sent(&self) {
        let until = Instant::now() + Duration::from_millis(self.settings.stop_ms);
        while self.bytes.load(Ordering::Relaxed) > 0 {
            if Instant::now() >= until {
                let bytes = self.bytes.load(Ordering::Relaxed);
                tracing::warn!(bytes, "segments wait in the spool for the next start");
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends what waits now; how many segments that was. Tries every recording, and tells the first failure.
    pub(super) async fn round(&self, far: &Arc<dyn ObjectStore>) -> object_store::Result<u64> {
        let mut folders = Vec::new();
        for business in Objects::folders(self.store.as_ref(), None).await? {
            folders.extend(Objects::folders(self.store.as_ref(), Some(&business)).await?);
        }
        let sent: Vec<object_store::Result<u64>> = stream::iter(folders)
            .map(|folder| self.send(far, folder))
            .buffer_unordered(self.settings.sending_max.max(1))
            .collect()
            .await;
        let mut count = 0;
        for result in sent {
            count += result?;
        }
        Ok(count)
    }

    /// Sends one recording's segments, in order.
    async fn send(&self, far: &Arc<dyn ObjectStore>, folder: ObjectPath) -> object_store::Result<u64> {
        let mut waiting: Vec<_> = self.store.list(Some(&folder)).try_collect().await?;
        waiting.sort_by(|one, other| one.location.cmp(&other.location));
        let mut count = 0;
        for segment in waiting {
            let _moving = self.moving.read().await;
            let bytes = match self.store.get(&segment.location).await {
                Ok(found) => found.bytes().await?,
                // It was removed meanwhile.
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(error) => return Err(error),
            };
            let put = far.put(&segment.location, PutPayload::from_bytes(bytes));
            if let Err(error) = asked("put", put).await {
                counter!(SPOOL_SEGMENTS, "outcome" => "failed").increment(1);
                return Err(error);
            }
            self.remove(&segment.location).await?;
            counter!(SPOOL_SEGMENTS, "outcome" => "sent").increment(1);
            count += 1;
        }
        Ok(count)
    }
}

/// The bytes of all files under a folder. One that can't be read holds nothing that could be sent.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
