//! What is written down as a call goes: in order, batched, and never waited for by the call.
//!
//! Each call has a journal, which writes in a task of its own while it has something to write. A store that is
//! away delays the writing and nothing else; a write without an answer is repeated, which changes nothing, for
//! events carry numbers and rows have one writer.

use std::collections::VecDeque;
use std::sync::Arc;

use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Sharing;
use super::settings::JournalSettings;
use crate::chance::Chance;
use crate::clock::ms;
use crate::metrics::{JOURNAL_LOST, JOURNAL_RETRIES, JOURNALS_WRITING};
use crate::storage::coordination::VersionedState;
use crate::storage::{Error, Fence, Result, Storage};
use crate::types::{CallEvent, CallEventKind, CallId, CallRecord, CallTime, Holder};

/// Told of each call that is over, once its record and everything before it is in the store. It must not wait.
pub type Written = Arc<dyn Fn(&CallRecord) + Send + Sync>;

/// The journals that have something to write, of a whole node.
#[derive(Debug)]
pub(crate) struct Backlog {
    writing: watch::Sender<usize>,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { writing: watch::Sender::new(0) }
    }
}

impl Backlog {
    /// How many journals have something to write.
    pub(crate) fn writing(&self) -> usize {
        *self.writing.borrow()
    }

    /// Waits until all is written.
    pub(crate) async fn all_written(&self) {
        // The sender lives as long as `self`, so that this can only end by the count.
        let _ = self.writing.subscribe().wait_for(|count| *count == 0).await;
    }

    fn add(&self) {
        self.writing.send_modify(|count| *count += 1);
        gauge!(JOURNALS_WRITING).increment(1.0);
    }

    fn remove(&self) {
        self.writing.send_modify(|count| *count = count.saturating_sub(1));
        gauge!(JOURNALS_WRITING).decrement(1.0);
    }
}

/// One call's journal. Needs a tokio runtime.
#[derive(Clone)]
pub(crate) struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    call: CallId,
    storage: Arc<dyn Storage>,
    settings: JournalSettings,
    chance: Chance,
    backlog: Arc<Backlog>,
    sharing: Sharing,
    written: Option<Written>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// The first record was taken out to be written.
    has_begun: bool,
    opened: Option<Box<CallRecord>>,
    events: VecDeque<CallEvent>,
    next_seq: u32,
    /// By what claim this process writes; known with the first record, and no state is kept before.
    fence: Option<Fence>,
    checkpoint: Option<Vec<u8>>,
    ended: Option<Box<CallRecord>>,
    over: bool,
    writing: bool,
}

/// One write.
enum Write {
    Begin(Box<CallRecord>),
    Record(Box<CallRecord>),
    Events(Vec<CallEvent>),
    Checkpoint(Fence, Vec<u8>),
    /// With whether a record was written before.
    End(Box<CallRecord>, bool),
}

impl Journal {
    pub(crate) fn new(
        call: CallId,
        storage: Arc<dyn Storage>,
        settings: JournalSettings,
        chance: Chance,
        backlog: Arc<Backlog>,
        sharing: Sharing,
        written: Option<Written>,
    ) -> Self {
        let queue = Mutex::default();
        Self { inner: Arc::new(Inner { call, storage, settings, chance, backlog, sharing, written, queue }) }
    }

    /// Writes the summary row of a call that goes on; a newer one replaces an older one that still waits. One that
    /// does not say who has the call is this process's.
    pub(crate) fn record(&self, record: CallRecord) {
        let record = self.held(record);
        self.change(|queue| {
            // Under the lock, so that the other nodes never hear of a call after its end.
            if !queue.over {
                self.inner.sharing.began(self.inner.call, &record.tenant, record.started_at);
                queue.fence = Some(Fence::of(&record));
                queue.opened = Some(Box::new(record));
            }
        });
    }

    /// Appends an event. Where too many wait it is lost and counted; the numbers stay without gaps.
    pub(crate) fn event(&self, at: CallTime, kind: CallEventKind) {
        let max = self.inner.settings.events_max;
        self.change(|queue| {
            if queue.events.len() >= max {
                counter!(JOURNAL_LOST).increment(1);
                return;
            }
            queue.events.push_back(CallEvent { seq: queue.next_seq, at, kind });
            queue.next_seq += 1;
        });
    }

    /// The number of the next event.
    pub(crate) fn next_seq(&self) -> u32 {
        self.inner.queue.lock().next_seq
    }

    /// Keeps a state, and tells the other nodes; a newer one replaces an older one that still waits.
    pub(crate) fn checkpoint(&self, state: Vec<u8>) {
        self.change(|queue| {
            let claim = queue.fence.map_or(0, |fence| fence.claim);
            let version = VersionedState::version_of(claim, queue.next_seq);
            self.inner.sharing.checkpoint(self.inner.call, version, &state);
            queue.checkpoint = (!queue.over).then_some(state);
        });
    }

    /// Writes the summary row of a call that is over, after everything else, and forgets its checkpoint.
    pub(crate) fn end(&self, record: CallRecord) {
        let record = self.held(record);
        self.change(|queue| {
            self.inner.sharing.ended(self.inner.call);
            (queue.opened, queue.checkpoint, queue.over) = (None, None, true);
            queue.ended = Some(Box::new(record));
        });
    }

    fn held(&self, mut record: CallRecord) -> CallRecord {
        record.held_by.get_or_insert_with(|| Holder::first(self.inner.sharing.life().clone()));
        record
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = self.inner.queue.lock();
        change(&mut queue);
        if !queue.writing && queue.has_work() {
            queue.writing = true;
            self.inner.backlog.add();
            tokio::spawn(Arc::clone(&self.inner).write_out());
        }
    }
}

impl Queue {
    fn has_work(&self) -> bool {
        let has_state = self.checkpoint.is_some() && self.fence.is_some();
        self.opened.is_some() || !self.events.is_empty() || has_state || self.ended.is_some()
    }

    fn next(&mut self, batch_max: usize) -> Option<Write> {
        if let Some(record) = self.opened.take() {
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            return Some(if is_first { Write::Begin(record) } else { Write::Record(record) });
        }
        if !self.events.is_empty() {
            let count = self.events.len().min(batch_max.max(1));
            return Some(Write::Events(self.events.drain(..count).collect()));
        }
        if let Some(fence) = self.fence
            && let Some(state) = self.checkpoint.take()
        {
            return Some(Write::Checkpoint(fence, state));
        }
        let has_begun = self.has_begun;
        self.ended.take().map(|record| Write::End(record, has_begun))
    }
}

impl Inner {
    async fn write_out(self: Arc<Self>) {
        loop {
            let write = {
                let mut queue = self.queue.lock();
                let next = queue.next(self.settings.batch_max);
                queue.writing = next.is_some();
                next
            };
            let Some(write) = write else { break };
            self.write_surely(&write).await;
        }
        self.backlog.remove();
    }

    /// Writes until it is written, or until it is clear that it never will be.
    async fn write_surely(&self, write: &Write) {
        let (mut wait_ms, mut failures) = (self.settings.retry_ms, 0_u32);
        loop {
            let error = match timeout(ms(self.settings.write_ms), self.write(write)).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error,
                Err(_) => Error::Unknown { why: "no answer in time".to_owned() },
            };
            if let Error::Conflict { .. } | Error::Corrupt { .. } = error {
                counter!(JOURNAL_LOST).increment(1);
                tracing::error!(call_id = %self.call, %error, "journal entry lost");
                return;
            }
            if failures == 0 {
                tracing::warn!(call_id = %self.call, %error, "the store does not take the journal, trying on");
            }
            failures = failures.saturating_add(1);
            counter!(JOURNAL_RETRIES).increment(1);
            sleep(ms(self.chance.spread_ms(wait_ms))).await;
            wait_ms = wait_ms.saturating_mul(2).min(self.settings.retry_max_ms);
        }
        if failures > 0 {
            tracing::info!(call_id = %self.call, failures, "the store takes the journal again");
        }
    }

    async fn write(&self, write: &Write) -> Result<()> {
        match write {
            Write::Begin(record) => self.storage.begin_call(record).await,
            Write::Record(record) => self.storage.put_call(record).await,
            Write::Events(events) => self.storage.append_events(self.call, events).await,
            Write::Checkpoint(fence, state) => self.storage.put_checkpoint(self.call, *fence, state).await,
            Write::End(record, has_begun) => {
                match has_begun {
                    true => self.storage.put_call(record).await?,
                    false => self.storage.begin_call(record).await?,
                }
                self.storage.drop_checkpoint(self.call, Fence::of(record)).await?;
                if let Some(written) = &self.written {
                    written(record);
                }
                Ok(())
            }
        }
    }
}
