//! The indexer's thread: takes calls, sweeps for those that were missed, commits by time, and starts over from the
//! last commit where the disk or a file fails.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use metrics::{counter, histogram};
use tantivy::collector::Count;
use tantivy::query::TermQuery;
use tantivy::schema::IndexRecordOption;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::document::{call_term, document};
use super::files::{self, Opened, Refused};
use super::handle::Shared;
use super::inbox::{Ended, Order};
use super::metrics::{COMMIT_SECONDS, ERRORS, INDEXED, REBUILDS};
use super::{Error, Forget, Result, Settings, forget};
use crate::clock::{Clock, ms};
use crate::storage::{self, Storage};
use crate::types::{CallEvent, CallId, CallRecord};

/// Calls taken from the queue in one turn, so that orders and commits are never far.
const TURN_CALLS: usize = 64;
/// Failures in a row after which the files are suspected, and proved before they are used again.
const SUSPECT_AFTER: u32 = 3;
/// The longest wait between two tries, in waits of the first length.
const WAITS_MAX: u32 = 12;

pub(super) struct Indexer {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) folder: PathBuf,
    pub(super) shared: Arc<Shared>,
    pub(super) runtime: Handle,
    pub(super) work: Work,
}

/// What the thread remembers between two turns.
pub(super) struct Work {
    pub(super) open: Option<Open>,
    /// When the earliest call began that no committed mark waits for yet.
    missed: Option<Timestamp>,
    /// Nothing is opened before this.
    open_at: Instant,
    /// No sweep begins or goes on before this.
    pub(super) sweep_at: Instant,
    /// A sweep under way must begin again.
    pub(super) sweep_anew: bool,
    /// A call was missed while a sweep was under way: the next one comes soon.
    pub(super) sweep_again: bool,
    pub(super) settling: Vec<oneshot::Sender<()>>,
    /// The next opening proves the files.
    prove: bool,
    failures: u32,
    stopping: Option<Instant>,
}

/// The index, and what of it is not committed.
pub(super) struct Open {
    pub(super) index: Opened,
    /// When the first change since the last commit was made.
    changed: Option<Instant>,
    /// When the earliest call began that is in no commit.
    uncommitted: Option<Timestamp>,
}

fn earlier(one: Option<Timestamp>, other: Timestamp) -> Option<Timestamp> {
    Some(one.map_or(other, |one| one.min(other)))
}

impl Work {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            open: None,
            missed: None,
            open_at: now,
            sweep_at: now,
            sweep_anew: false,
            sweep_again: false,
            settling: Vec::new(),
            prove: true,
            failures: 0,
            stopping: None,
        }
    }
}

impl Indexer {
    /// Runs until the inbox is closed.
    pub(super) fn run(mut self) {
        // What a damaged file makes panic must not end the search for good.
        while catch_unwind(AssertUnwindSafe(|| while self.turn() {})).is_err() {
            counter!(ERRORS, "kind" => "panic").increment(1);
            self.fail(&Error::Index { why: "its indexer failed and starts over".to_owned() });
            self.work.prove = true;
        }
    }

    /// One turn; `false` where it was the last.
    fn turn(&mut self) -> bool {
        self.open_when_due();
        let taken = self.shared.inbox.take(self.idle_for(), TURN_CALLS);
        if taken.killed {
            return false;
        }
        if let Some(missed) = taken.missed {
            self.sweep_for(missed);
        }
        for order in taken.orders {
            self.obey(order);
        }
        let none_left = taken.ended.is_empty();
        // Where the store does not answer for one, the others need not wait for it, too.
        let mut answers = true;
        for ended in taken.ended {
            answers = answers && self.take(ended);
            if !answers {
                self.sweep_for(ended.began);
            }
        }
        if taken.closed {
            let now = self.clock.monotonic();
            let since = *self.work.stopping.get_or_insert(now);
            if none_left || now.duration_since(since) >= ms(self.settings.stop_ms) {
                self.commit_or_fail();
                return false;
            }
            return true;
        }
        self.sweep_when_due();
        let now = self.clock.monotonic();
        if self.commit_at().is_some_and(|at| at <= now) {
            self.commit_or_fail();
        }
        true
    }

    fn commit_at(&self) -> Option<Instant> {
        self.work.open.as_ref()?.changed.map(|changed| changed + ms(self.settings.commit_ms))
    }

    /// How long there is nothing to do unless something comes.
    fn idle_for(&self) -> Duration {
        let now = self.clock.monotonic();
        let next = if self.work.open.is_some() {
            self.commit_at().map_or(self.work.sweep_at, |commit| commit.min(self.work.sweep_at))
        } else {
            self.work.open_at
        };
        next.saturating_duration_since(now)
    }

    fn open_when_due(&mut self) {
        if self.work.open.is_some() || self.clock.monotonic() < self.work.open_at {
            return;
        }
        let opened = files::open(&self.folder, self.settings.writer_bytes, self.work.prove);
        let opened = match opened {
            Err(Refused::Worthless(why)) => {
                tracing::warn!(%why, "the search index can't be used; it is built anew");
                counter!(REBUILDS, "why" => "unreadable").increment(1);
                self.wipe().and_then(|()| {
                    files::open(&self.folder, self.settings.writer_bytes, false).map_err(|refused| {
                        match refused {
                            Refused::Worthless(why) => Error::Index { why },
                            Refused::Later(error) => error,
                        }
                    })
                })
            }
            Err(Refused::Later(error)) => Err(error),
            Ok(opened) => Ok(opened),
        };
        match opened {
            Ok(opened) => self.opened(opened),
            Err(error) => self.fail(&error),
        }
    }

    fn opened(&mut self, mut index: Opened) {
        self.work.prove = false;
        if let Some(missed) = self.work.missed {
            index.progress.hold_back(missed);
        }
        *self.shared.readable.write() = Some(Arc::clone(&index.readable));
        self.work.sweep_at = self.clock.monotonic();
        self.work.open = Some(Open { index, changed: None, uncommitted: None });
        self.tell();
        if self.work.failures == 0 {
            *self.shared.trouble.lock() = None;
        }
    }

    /// Lets everybody know how the index is.
    fn tell(&self) {
        let Some(open) = &self.work.open else { return };
        self.shared.complete.store(open.index.progress.is_complete(), Ordering::Release);
        self.shared.calls.store(open.index.readable.reader.searcher().num_docs(), Ordering::Release);
    }

    /// Throws the index away, and with it what is known of calls that were missed: all are, now.
    fn wipe(&mut self) -> Result<()> {
        if let Some(open) = self.work.open.take() {
            // A merge would write into the folder while it is emptied. What comes of it is thrown away.
            let _ = open.index.writer.wait_merging_threads();
        }
        *self.shared.readable.write() = None;
        self.shared.complete.store(false, Ordering::Release);
        self.shared.calls.store(0, Ordering::Release);
        self.work.missed = None;
        files::wipe(&self.folder)
    }

    /// Goes back to the last commit, which is opened again after a while.
    pub(super) fn fail(&mut self, error: &Error) {
        counter!(ERRORS, "kind" => "index").increment(1);
        if self.work.failures == 0 {
            tracing::error!(%error, "calls are not indexed for now; they are as soon as that is mended");
        }
        self.work.failures = self.work.failures.saturating_add(1);
        self.work.prove = self.work.failures >= SUSPECT_AFTER;
        if let Some(lost) = self.work.open.take().and_then(|open| open.uncommitted) {
            self.work.missed = earlier(self.work.missed, lost);
        }
        *self.shared.trouble.lock() = Some(error.to_string());
        let waits = self.work.failures.min(WAITS_MAX);
        self.work.open_at = self.clock.monotonic() + ms(self.settings.retry_ms).saturating_mul(waits);
    }

    /// A call that began then is not in the index: the next sweep must reach back to it, and comes soon.
    fn sweep_for(&mut self, began: Timestamp) {
        self.work.missed = earlier(self.work.missed, began);
        let soon = self.clock.monotonic() + ms(self.settings.retry_ms);
        self.work.sweep_at = self.work.sweep_at.min(soon);
        if let Some(open) = &mut self.work.open {
            self.work.sweep_again |= open.index.progress.sweep.is_some();
            open.index.progress.hold_back(began);
            open.changed.get_or_insert(soon);
        }
    }

    fn obey(&mut self, order: Order) {
        // Who has asked may have gone; what was asked for is done all the same.
        match order {
            Order::Forget(what, answer) => {
                let done = self.forget(&what);
                let _ = answer.send(done);
            }
            Order::Rebuild(answer) => {
                counter!(REBUILDS, "why" => "asked").increment(1);
                let wiped = self.wipe();
                self.work.open_at = self.clock.monotonic();
                if let Err(error) = &wiped {
                    self.fail(error);
                }
                let _ = answer.send(wiped);
            }
            Order::Settle(answer) => {
                self.work.settling.push(answer);
                self.work.sweep_anew = true;
                self.work.sweep_at = self.clock.monotonic();
            }
        }
    }

    fn forget(&mut self, what: &Forget) -> Result<()> {
        let Some(open) = &mut self.work.open else {
            let why = "its index can't be written at present; forget again when it can".to_owned();
            return Err(Error::Unavailable { why });
        };
        let readable = &open.index.readable;
        for term in what.terms(&readable.fields, &readable.callers) {
            open.index.writer.delete_term(term);
        }
        self.commit().inspect_err(|error| self.fail(error))?;
        let until = self.clock.monotonic() + ms(self.settings.forget_ms);
        match &mut self.work.open {
            Some(open) => forget::purge(&mut open.index, &self.folder, until),
            None => Ok(()),
        }
    }

    /// Puts a call into the index; `false` where that is not possible now and a sweep must do it later.
    fn take(&mut self, ended: Ended) -> bool {
        let added = self.read(|storage| async move { storage.call(ended.call).await }).map_err(Error::from);
        let added = added.and_then(|record| match record {
            Some(record) if self.work.open.is_some() && record.ended_at.is_some() => self.add(&record),
            Some(record) if record.ended_at.is_some() => Err(Error::Unavailable { why: String::new() }),
            _ => Ok(()),
        });
        match added {
            Ok(()) => return true,
            Err(Error::Storage(error)) => self.store_failed(&error),
            Err(error @ Error::Index { .. }) => self.fail(&error),
            Err(_) => {}
        }
        false
    }

    pub(super) fn store_failed(&self, error: &storage::Error) {
        counter!(ERRORS, "kind" => "store").increment(1);
        tracing::warn!(%error, "the store can't be read for the search; it is tried again");
    }

    /// Asks the store, for a while.
    pub(super) fn read<T, F>(&self, ask: impl FnOnce(Arc<dyn Storage>) -> F) -> storage::Result<T>
    where
        F: Future<Output = storage::Result<T>>,
    {
        let asked = ask(Arc::clone(&self.storage));
        let answer = self.runtime.block_on(async { timeout(ms(self.settings.read_ms), asked).await });
        answer.unwrap_or_else(|_| Err(storage::Error::Unavailable { why: "no answer in time".to_owned() }))
    }

    /// Puts a call that is over in the place of what the index may have of it.
    pub(super) fn add(&mut self, record: &CallRecord) -> Result<()> {
        let events = self.events(record.id)?;
        let now = self.clock.monotonic();
        let Some(open) = &mut self.work.open else { return Ok(()) };
        let readable = &open.index.readable;
        let (fields, callers) = (&readable.fields, &readable.callers);
        let document = document(fields, callers, record, &events, self.settings.call_bytes_max);
        open.index.writer.delete_term(call_term(fields, record.id));
        open.index.writer.add_document(document)?;
        open.changed.get_or_insert(now);
        open.uncommitted = earlier(open.uncommitted, record.started_at);
        counter!(INDEXED).increment(1);
        Ok(())
    }

    fn events(&self, call: CallId) -> Result<Vec<CallEvent>> {
        match self.read(|storage| async move { storage.events(call).await }) {
            // One call that can't be read must not keep the others out: it is found by its filters only.
            Err(error @ storage::Error::Corrupt { .. }) => {
                counter!(ERRORS, "kind" => "store").increment(1);
                tracing::error!(call_id = %call, %error, "a call's words can't be read; it is indexed without");
                Ok(Vec::new())
            }
            read => Ok(read?),
        }
    }

    /// Whether the last commit has this call.
    pub(super) fn has(&self, call: CallId) -> Result<bool> {
        let Some(open) = &self.work.open else { return Ok(false) };
        let readable = &open.index.readable;
        let query = TermQuery::new(call_term(&readable.fields, call), IndexRecordOption::Basic);
        Ok(readable.reader.searcher().search(&query, &Count)? > 0)
    }

    pub(super) fn commit_or_fail(&mut self) {
        if let Err(error) = self.commit() {
            self.fail(&error);
        }
    }

    /// Commits what was changed together with how far it goes, and shows it to questions.
    pub(super) fn commit(&mut self) -> Result<()> {
        let began = self.clock.monotonic();
        let Some(open) = &mut self.work.open else { return Ok(()) };
        let mut commit = open.index.writer.prepare_commit()?;
        commit.set_payload(&open.index.progress.to_text());
        commit.commit()?;
        open.index.readable.reader.reload()?;
        (open.changed, open.uncommitted, self.work.missed) = (None, None, None);
        histogram!(COMMIT_SECONDS).record(began.elapsed().as_secs_f64());
        if self.work.failures > 0 {
            tracing::info!(failures = self.work.failures, "calls are indexed again");
            self.work.failures = 0;
        }
        *self.shared.trouble.lock() = None;
        self.tell();
        Ok(())
    }
}
