//! The one thread that writes: a batch, a commit, the answers; again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Settings;
use super::database::Database;
use super::tables::{Changes, failed, unconfirmed};
use crate::storage::metrics::{BATCH_SIZE, COMMIT_SECONDS, ERRORS, QUEUE_DEPTH};
use crate::storage::ordered::Write;
use crate::storage::{Error, Result};

/// Whether somebody waits for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Haste {
    /// Somebody does.
    Now,
    /// Nobody does, so that others may come along.
    Soon,
}

/// One change, and where to say what became of it.
pub(super) trait Job: Send {
    fn haste(&self) -> Haste;
    /// Makes the change.
    fn make(&mut self, rows: &mut dyn Write);
    /// Tells who waits what became of it: of the commit, where the change itself was made.
    fn answer(self: Box<Self>, committed: Result<()>);
}

/// A change that answers by a channel.
pub(super) struct Change<F, T> {
    haste: Haste,
    write: Option<F>,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<F, T> Change<F, T> {
    pub(super) fn new(haste: Haste, write: F, answer: oneshot::Sender<Result<T>>) -> Self {
        Self { haste, write: Some(write), result: None, answer }
    }
}

impl<F, T> Job for Change<F, T>
where
    F: FnOnce(&mut dyn Write) -> Result<T> + Send,
    T: Send,
{
    fn haste(&self) -> Haste {
        self.haste
    }

    fn make(&mut self, rows: &mut dyn Write) {
        self.result = self.write.take().map(|write| write(rows));
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let answer = match self.result {
            Some(result) => result.and_then(|value| committed.map(|()| value)),
            None => Err(committed.err().unwrap_or(Error::Unavailable { why: NOT_MADE.to_owned() })),
        };
        // Whoever waited may have gone away; the change stands all the same.
        let _ = self.answer.send(answer);
    }
}

const NOT_MADE: &str = "the change was not made; try again";

pub(super) struct Writer {
    database: Arc<Database>,
    batch_max: usize,
    /// How long after a commit that several shared the next begins.
    gather: Duration,
    /// How long after a commit the next begins where nobody waits for it, unless so many changes wait.
    soon: Duration,
    soon_enough: usize,
    trouble: Trouble,
}

impl Writer {
    pub(super) fn new(database: Arc<Database>, settings: &Settings) -> Self {
        let gather = Duration::from_millis(settings.gather_ms);
        let soon = Duration::from_millis(settings.soon_ms);
        let batch_max = settings.batch_max.max(1);
        let soon_enough = settings.soon_enough.clamp(1, batch_max);
        Self { database, batch_max, gather, soon, soon_enough, trouble: Trouble::default() }
    }

    /// Writes until nobody can send any more, and everything that was sent is answered.
    pub(super) fn run(mut self, jobs: &Receiver<Box<dyn Job>>) {
        let (mut next, mut ended) = (Instant::now(), Instant::now());
        while let Ok(first) = jobs.recv() {
            let mut batch = Vec::with_capacity(16);
            batch.push(first);
            self.take_waiting(&mut batch, jobs);
            self.wait_for_others(&mut batch, jobs, ended + self.soon);
            let early = next.saturating_duration_since(Instant::now());
            if !early.is_zero() && batch.len() < self.batch_max {
                std::thread::sleep(early);
                self.take_waiting(&mut batch, jobs);
            }
            #[allow(clippy::cast_precision_loss, reason = "a batch is small")]
            let size = batch.len() as f64;
            gauge!(QUEUE_DEPTH).decrement(size);
            histogram!(BATCH_SIZE).record(size);
            let shared = batch.len() > 1;
            let began = Instant::now();
            self.make(batch);
            histogram!(COMMIT_SECONDS).record(began.elapsed());
            ended = Instant::now();
            // Whoever writes one thing after another alone waits for nobody.
            next = if shared { ended + self.gather } else { began };
        }
    }

    fn take_waiting(&self, batch: &mut Vec<Box<dyn Job>>, jobs: &Receiver<Box<dyn Job>>) {
        batch.extend(jobs.try_iter().take(self.batch_max.saturating_sub(batch.len())));
    }

    /// While nobody waits for any of it, lets more come along.
    fn wait_for_others(&self, batch: &mut Vec<Box<dyn Job>>, jobs: &Receiver<Box<dyn Job>>, until: Instant) {
        let mut patient = batch.iter().all(|job| job.haste() == Haste::Soon);
        while patient && batch.len() < self.soon_enough {
            // Nobody can send any more, or none came in time.
            let Ok(job) = jobs.recv_timeout(until.saturating_duration_since(Instant::now())) else { return };
            patient = job.haste() == Haste::Soon;
            batch.push(job);
        }
    }

    /// Makes a batch whole or not at all, and answers everybody.
    fn make(&mut self, mut batch: Vec<Box<dyn Job>>) {
        self.database.heal();
        let outcome = self.database.with(|database| commit(database, &mut batch));
        if let Err(error) = &outcome {
            let kind = match error {
                Error::Unknown { .. } => "commit",
                Error::Corrupt { .. } => "corrupt",
                _ => "write",
            };
            counter!(ERRORS, "kind" => kind).increment(1);
            self.trouble.fails(error, batch.len());
            // Before the answers: whoever tries again finds the file open.
            self.database.reopen();
        } else {
            self.trouble.is_over();
        }
        for job in batch {
            job.answer(outcome.clone());
        }
    }
}

/// How often it is said that commits still fail. Everybody who waits tries again, so that a full disk would fill
/// the log, too.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// Commits that fail, said when it begins, once in a while, and when it is over.
#[derive(Debug, Default)]
struct Trouble {
    said: Option<Instant>,
    /// Failures since it began.
    failures: u64,
}

impl Trouble {
    fn fails(&mut self, error: &Error, writes: usize) {
        self.failures += 1;
        if self.said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
            self.said = Some(Instant::now());
            tracing::error!(%error, writes, failures = self.failures, "a commit failed");
        }
    }

    fn is_over(&mut self) {
        if self.said.take().is_some() {
            tracing::info!(failures = self.failures, "commits succeed again");
            self.failures = 0;
        }
    }
}

/// Makes all changes in one transaction.
fn commit(database: &redb::Database, batch: &mut [Box<dyn Job>]) -> Result<()> {
    let mut transaction = database.begin_write().map_err(|error| failed(&error.into()))?;
    // An open after a crash must not walk the whole file.
    transaction.set_quick_repair(true);
    let mut changes = Changes::of(&transaction);
    for job in batch {
        // One that panics leaves half a change: nothing of this batch may be kept.
        if catch_unwind(AssertUnwindSafe(|| job.make(&mut changes))).is_err() {
            return Err(Error::Unavailable { why: NOT_MADE.to_owned() });
        }
    }
    if let Some(error) = changes.into_failure() {
        return Err(error);
    }
    transaction.commit().map_err(|error| unconfirmed(&error.into()))
}
