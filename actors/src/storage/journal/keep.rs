//! The store with a journal in front of it: what is written at once, what is kept.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::SignedDuration;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::drain;
use super::entry::{Entry, Lane};
use super::file::{File, Log, LogError};
use super::ledger::{Bounds, Ledger};
use super::record::{self, Record};
use super::settings::Settings;
use crate::chance::Chance;
use crate::clock::{Clock, ms};
use crate::storage::metrics::{
    JOURNAL_BYTES, JOURNAL_KEPT, JOURNAL_OLDEST, JOURNAL_REFUSED, JOURNAL_ROWS, STORE_AWAY,
};
use crate::storage::{Error, Result, Storage};

/// What waits in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Writes.
    pub rows: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A store whose writes of calls are kept in a journal while it can't take them. Needs a tokio runtime.
///
/// Calls, messages, their listings, events, states, recordings and outcomes are shown as they were last written,
/// wherever that is; what other nodes keep is seen once it is in the store. Dropping it closes the file.
pub struct Journalled {
    pub(super) shared: Arc<Shared>,
    drain: Mutex<Option<JoinHandle<()>>>,
}

pub(super) struct Shared {
    /// The store, once there is one.
    store: OnceLock<Arc<dyn Storage>>,
    /// Why there is none yet.
    absent: Mutex<String>,
    pub(super) log: Box<dyn Log>,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    /// The store did not take what was last written later: nobody else waits for it in vain.
    pub(super) is_away: AtomicBool,
    /// Held by whoever sends writes to the store, and by whoever erases.
    pub(super) gate: tokio::sync::Mutex<()>,
    /// There is something to do for the drain.
    pub(super) wake: Notify,
    /// Something was marked as written.
    pub(super) progress: Notify,
    pub(super) is_stopping: AtomicBool,
}

impl fmt::Debug for Journalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Journalled").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl Journalled {
    /// Puts a journal in this file before a store, and begins to write what the file holds. Blocks while it reads
    /// the file.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the file can't be used, [`Error::Corrupt`] where it is no journal.
    pub fn open(
        store: Arc<dyn Storage>,
        path: &Path,
        settings: Settings,
        clock: Clock,
        chance: Chance,
    ) -> Result<Self> {
        let journalled = Self::open_alone(path, settings, clock, chance)?;
        journalled.arrived(store);
        Ok(journalled)
    }

    /// The same before there is a store: until [`Self::arrived`] whatever can wait is kept, and all else is
    /// [`Error::Unavailable`].
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn open_alone(path: &Path, settings: Settings, clock: Clock, chance: Chance) -> Result<Self> {
        let (file, contents) = File::open(path, settings.queue_max)?;
        let mut ledger = Ledger::new(bounds(&settings));
        restore(&mut ledger, contents.records);
        if ledger.rows() > 0 {
            tracing::info!(
                rows = ledger.rows(),
                "the journal has writes of an earlier process; they are made now"
            );
        }
        Ok(Self::over(Box::new(file), ledger, settings, clock, chance))
    }

    /// Puts an empty journal in this log before a store.
    #[must_use]
    pub fn in_log(
        store: Arc<dyn Storage>,
        log: Box<dyn Log>,
        settings: Settings,
        clock: Clock,
        chance: Chance,
    ) -> Self {
        let ledger = Ledger::new(bounds(&settings));
        let journalled = Self::over(log, ledger, settings, clock, chance);
        journalled.arrived(store);
        journalled
    }

    /// Here is the store: what waits is written to it from now on. The first one stays.
    pub fn arrived(&self, store: Arc<dyn Storage>) {
        if self.shared.store.set(store).is_ok() {
            self.shared.wake.notify_one();
        }
    }

    /// Why there is no store yet, for whoever asks it for something.
    pub fn has_not_arrived(&self, why: String) {
        *self.shared.absent.lock() = why;
    }

    fn over(log: Box<dyn Log>, ledger: Ledger, settings: Settings, clock: Clock, chance: Chance) -> Self {
        let shared = Arc::new(Shared {
            store: OnceLock::new(),
            absent: Mutex::new("there was no connection yet".to_owned()),
            log,
            ledger: Mutex::new(ledger),
            settings,
            clock,
            chance,
            is_away: AtomicBool::new(false),
            gate: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            progress: Notify::new(),
            is_stopping: AtomicBool::new(false),
        });
        shared.measure();
        let drain = tokio::spawn(drain::run(Arc::clone(&shared)));
        Self { shared, drain: Mutex::new(Some(drain)) }
    }

    /// What waits.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let ledger = self.shared.ledger.lock();
        Waiting { rows: ledger.rows(), bytes: ledger.bytes() }
    }

    /// Waits until nothing waits.
    pub async fn all_written(&self) {
        loop {
            let progress = self.shared.progress.notified();
            if self.waiting().rows == 0 {
                return;
            }
            progress.await;
        }
    }

    /// Stops writing out, and closes the file. What waits is written by the next process that opens it.
    pub async fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        self.shared.wake.notify_one();
        let drain = self.drain.lock().take();
        if let Some(drain) = drain {
            // One that panicked has nothing more to do.
            let _ = drain.await;
        }
        let shared = Arc::clone(&self.shared);
        let _ = tokio::task::spawn_blocking(move || shared.log.close()).await;
    }
}

impl Drop for Journalled {
    fn drop(&mut self) {
        if let Some(drain) = self.drain.lock().take() {
            drain.abort();
        }
        self.shared.log.close();
    }
}

fn bounds(settings: &Settings) -> Bounds {
    let age_max = i64::try_from(settings.age_max_s).unwrap_or(i64::MAX);
    Bounds {
        rows_max: settings.rows_max,
        bytes_max: settings.bytes_max,
        age_max: SignedDuration::from_secs(age_max),
    }
}

/// Takes in what a file held: every write that is not marked as done.
fn restore(ledger: &mut Ledger, records: Vec<Record>) {
    let done: std::collections::HashSet<u64> = records
        .iter()
        .filter_map(|record| match record {
            Record::Done { number } => Some(*number),
            Record::Write { .. } => None,
        })
        .collect();
    for record in records {
        let (Record::Done { number } | Record::Write { number, .. }) = record;
        ledger.start_at(number + 1);
        if let Record::Write { number, at, entry } = record
            && !done.contains(&number)
        {
            let bytes = record::write(number, at, &entry).map_or(0, |bytes| bytes.len() as u64);
            ledger.restore(number, at, *entry, bytes);
        }
    }
}

/// What became of a write.
pub(super) enum Outcome<T> {
    /// The store took it.
    Written(T),
    /// The journal did.
    Kept,
}

impl Shared {
    /// The store.
    pub(super) fn store(&self) -> Result<&Arc<dyn Storage>> {
        self.store.get().ok_or_else(|| Error::Unavailable { why: self.absent.lock().clone() })
    }

    /// Writes by `direct` where the lane is free and the store works, and keeps `entry` otherwise.
    pub(super) async fn write<T>(
        &self,
        entry: Entry,
        direct: impl Future<Output = Result<T>>,
    ) -> Result<Outcome<T>> {
        let lane = entry.lane();
        if let Lane::Call(call) = &lane
            && self.ledger.lock().is_erased(*call)
        {
            // What comes late of a call that is erased goes the way of all of it.
            return Ok(Outcome::Kept);
        }
        let why = if !self.is_free(&lane) {
            Error::Unavailable { why: "earlier writes of the same call wait in the journal".to_owned() }
        } else if self.is_away.load(Ordering::Relaxed) {
            Error::Unavailable { why: "it did not answer a while ago".to_owned() }
        } else {
            match timeout(ms(self.settings.write_ms), direct).await {
                Ok(Ok(value)) => return Ok(Outcome::Written(value)),
                Ok(Err(error @ (Error::Conflict { .. } | Error::Corrupt { .. }))) => return Err(error),
                Ok(Err(error)) => error,
                Err(_) => Error::Unknown { why: format!("no answer in {} ms", self.settings.write_ms) },
            }
        };
        self.keep(entry, why).await.map(|()| Outcome::Kept)
    }

    fn is_free(&self, lane: &Lane) -> bool {
        self.ledger.lock().is_free(lane)
    }

    /// Keeps a write that failed for `why`, which is the answer where it can't be kept.
    async fn keep(&self, entry: Entry, why: Error) -> Result<()> {
        let refused = |kind: &'static str| {
            counter!(JOURNAL_REFUSED, "kind" => kind).increment(1);
            Err(why.clone())
        };
        let (number, synced) = {
            let mut ledger = self.ledger.lock();
            let now = self.clock.now();
            let Ok(bytes) = record::write(ledger.next(), now, &entry) else { return refused("shape") };
            if bytes.len() > self.settings.row_bytes_max {
                return refused("row_bytes");
            }
            let number = match ledger.admit(now, entry, bytes.len() as u64) {
                Ok(number) => number,
                Err(full) => return refused(full.name()),
            };
            // In the order of the numbers, which is that of the file.
            (number, self.log.append(bytes))
        };
        let outcome = synced.await.unwrap_or(Err(LogError::Closed));
        {
            let mut ledger = self.ledger.lock();
            match &outcome {
                Ok(()) => ledger.kept(number),
                Err(_) => ledger.withdraw(number),
            }
        }
        self.measure();
        self.wake.notify_one();
        if let Err(error) = outcome {
            tracing::warn!(%error, "a write could not be kept in the journal");
            return refused("disk");
        }
        counter!(JOURNAL_KEPT).increment(1);
        Ok(())
    }

    /// Shows how much waits.
    pub(super) fn measure(&self) {
        let (rows, bytes, oldest) = {
            let ledger = self.ledger.lock();
            (ledger.rows(), ledger.bytes(), ledger.oldest())
        };
        let age = oldest.map_or(0.0, |oldest| self.clock.now().duration_since(oldest).as_secs_f64());
        #[allow(clippy::cast_precision_loss, reason = "a gauge is shown with few digits")]
        {
            gauge!(JOURNAL_ROWS).set(rows as f64);
            gauge!(JOURNAL_BYTES).set(bytes as f64);
        }
        gauge!(JOURNAL_OLDEST).set(age.max(0.0));
        let is_away = self.store.get().is_none() || self.is_away.load(Ordering::Relaxed);
        gauge!(STORE_AWAY).set(if is_away { 1.0 } else { 0.0 });
    }
}
