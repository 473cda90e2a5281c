//! The default store: one file, no server, on redb. The only place that names redb.
//!
//! One thread writes. It takes what waits in a bounded queue, makes all of it in one transaction, and answers
//! each writer when that transaction is on the disk: many calls share one sync. Reads see the last commit and
//! wait for nobody.

mod database;
mod tables;
mod writer;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use metrics::{counter, gauge};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::metrics::{ERRORS, QUEUE_DEPTH};
use super::ordered::{Ordered, Read, Write};
use super::{Error, Result};

use database::Database;
use tables::{Held, Snapshot};
use writer::{Change, Haste, Job, Writer};

/// Bounds of the embedded store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The most changes that wait for the writer; the next one fails at once.
    pub queue_max: usize,
    /// The most changes in one commit.
    pub batch_max: usize,
    /// The least time between two commits while several write at once, in milliseconds: what each of them may wait
    /// longer, and how many share a sync of the disk.
    pub gather_ms: u64,
    /// How long after a commit the next begins where all that waits is of calls under way (events, states), in
    /// milliseconds: nobody waits for it, and many share a sync of the disk.
    pub soon_ms: u64,
    /// How many such changes are enough to begin at once.
    pub soon_enough: usize,
    /// Memory for pages of the file, in bytes.
    pub cache_bytes: usize,
    /// How long opening waits for another process to let go of the file, in milliseconds: one that was killed
    /// may still be in its last sync.
    pub open_wait_ms: u64,
    /// The wait before a file that failed is opened again, in milliseconds.
    pub reopen_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            queue_max: 4_096,
            batch_max: 256,
            gather_ms: 5,
            soon_ms: 100,
            soon_enough: 128,
            cache_bytes: 64 << 20,
            open_wait_ms: 5_000,
            reopen_ms: 250,
        }
    }
}

/// A store in one file. What is written has been synced to the disk when the write returns.
///
/// Dropping it makes the writes that wait, then closes the file.
#[derive(Debug)]
pub struct Embedded {
    database: Arc<Database>,
    writer: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    queue: SyncSender<Box<dyn Job>>,
    thread: JoinHandle<()>,
}

impl Embedded {
    /// Opens the store in this file, or makes it, readable by its owner only. May block for
    /// `settings.open_wait_ms` and some time for a repair after a crash; not for an async worker thread.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the file is in use or can't be opened, [`Error::Corrupt`] where it is no
    /// store.
    pub fn open(path: &Path, settings: &Settings) -> Result<Self> {
        let database = Arc::new(Database::open(path, settings)?);
        let (queue, jobs) = sync_channel(settings.queue_max.max(1));
        let writer = Writer::new(Arc::clone(&database), settings);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|error| Error::Unavailable { why: format!("no thread for the writer: {error}") })?;
        Ok(Self { database, writer: Mutex::new(Some(Running { queue, thread })) })
    }

    /// Makes the writes that wait and closes the file. Later writes and reads fail. Blocks until that is done.
    pub fn close(&self) {
        let running = self.writer.lock().take();
        if let Some(Running { queue, thread }) = running {
            drop(queue);
            // A writer that panicked has nothing more to do.
            let _ = thread.join();
        }
        self.database.close();
    }

    fn change<T: Send + 'static>(
        &self,
        haste: Haste,
        write: impl FnOnce(&mut dyn Write) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        let (answer, answered) = oneshot::channel();
        let queued = self.enqueue(Box::new(Change::new(haste, write, answer)));
        async move {
            queued?;
            answered
                .await
                .unwrap_or_else(|_| Err(Error::Unknown { why: "the writer gave no answer".to_owned() }))
        }
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<()> {
        let writer = self.writer.lock();
        let Some(running) = writer.as_ref() else {
            return Err(Error::Unavailable { why: "it is closed".to_owned() });
        };
        let sent = running.queue.try_send(job);
        gauge!(QUEUE_DEPTH).increment(if sent.is_ok() { 1.0 } else { 0.0 });
        sent.map_err(|error| {
            let (kind, why) = match error {
                TrySendError::Full(_) => ("queue_full", "too many writes wait; the disk may be too slow"),
                TrySendError::Disconnected(_) => ("writer_gone", "its writer is gone; restart the node"),
            };
            counter!(ERRORS, "kind" => kind).increment(1);
            Error::Unavailable { why: why.to_owned() }
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Ordered for Embedded {
    fn read<T>(&self, read: impl FnOnce(&dyn Read) -> Result<T>) -> Result<T> {
        self.database.with(|database| read(&Snapshot::of(database)?))
    }

    fn hold(&self) -> Result<Option<Box<dyn Read + Send + Sync>>> {
        Ok(Some(Box::new(Held::of(&self.database)?)))
    }

    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        self.change(Haste::Now, write)
    }

    fn write_soon<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        self.change(Haste::Soon, write)
    }
}

#[cfg(test)]
mod tests;
