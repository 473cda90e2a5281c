//! Whom the businesses of this node missed, and when they are called back.
//!
//! What waits is in memory; what was done is on the missed call's record, written before anybody is called, so that a
//! node that starts again finds what is left to do by looking at the calls of the last day. An attempt is claimed in
//! the store before it is made: of several nodes one makes it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::calling_back::NotMade;
use super::reception::Receptionist;
use crate::call::call_back::{self, Settings, due};
use crate::call::{Services, Written};
use crate::clock::ms;
use crate::directory::Directory;
use crate::metrics::CALL_BACKS;
use crate::storage::{Error, IdempotencyKey, Page, Result};
use crate::types::{
    Business, CallBackNote, CallBackResult, CallId, CallRecord, EndReason, Route, ToolOutcome,
};

/// Businesses and calls read at once.
const PAGE: usize = 100;
/// The longest sleep: a wall clock that jumps is noticed by then.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// What waits, shared by those who end calls and the task that calls back.
#[derive(Default)]
pub(super) struct Waiting {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    due: BTreeSet<(Timestamp, CallId)>,
    /// Calls back that are over: of which call, and what came of it.
    over: VecDeque<(CallId, CallBackResult)>,
}

impl Waiting {
    fn add(&self, settings: &Settings, at: Timestamp, call: CallId) {
        let added = {
            let due = &mut self.queue.lock().due;
            due.len() < settings.waiting_max && due.insert((at, call))
        };
        counter!(CALL_BACKS, "what" => if added { "planned" } else { "not_planned" }).increment(1);
        self.changed.notify_one();
    }

    fn note_over(&self, settings: &Settings, call: CallId, result: CallBackResult) {
        let over = &mut self.queue.lock().over;
        if over.len() < settings.waiting_max {
            over.push_back((call, result));
        }
        self.changed.notify_one();
    }
}

/// What is told of each call that is over: to whoever is told already, and to those who call back.
pub(super) fn told(
    waiting: &Arc<Waiting>,
    settings: &Settings,
    directory: &Arc<Directory>,
    others: Option<Written>,
) -> Written {
    let (waiting, settings, directory) = (Arc::clone(waiting), settings.clone(), Arc::clone(directory));
    Arc::new(move |record: &CallRecord| {
        if let Some(others) = &others {
            others(record);
        }
        let arrived = record.arrived.as_ref();
        if let Some(missed) = arrived.and_then(|arrived| arrived.calls_back) {
            return waiting.note_over(&settings, missed, result_of(record));
        }
        let Some(tenant) = directory.tenant(&record.tenant) else { return };
        let business = Arc::clone(&tenant.live.snapshot().business);
        if let Ok(at) = due(&business, record, &settings) {
            waiting.add(&settings, at, record.id);
        }
    })
}

/// What came of a call back, by its record.
fn result_of(record: &CallRecord) -> CallBackResult {
    match (record.answered_at, record.outcome.map(|outcome| outcome.reason)) {
        (_, Some(EndReason::Mailbox)) => CallBackResult::Mailbox,
        (Some(_), _) => CallBackResult::Reached,
        // Who says no is not asked again.
        (None, _) if call_back::is_declined(record) => CallBackResult::GivenUp,
        (None, _) => CallBackResult::NotReached,
    }
}

/// Calls back until it is dropped.
pub(super) struct CallBacks {
    task: JoinHandle<()>,
}

impl Drop for CallBacks {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl CallBacks {
    /// Looks for what an earlier process left to do, and calls back from then on.
    pub(super) fn start(
        waiting: Arc<Waiting>,
        receptionist: Arc<Receptionist>,
        services: Arc<Services>,
        settings: Settings,
    ) -> Self {
        let desk = Desk { waiting, receptionist, services, settings };
        Self { task: tokio::spawn(desk.work()) }
    }

    /// Calls nobody any more.
    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

struct Desk {
    waiting: Arc<Waiting>,
    receptionist: Arc<Receptionist>,
    services: Arc<Services>,
    settings: Settings,
}

impl Desk {
    async fn work(self) {
        if !self.settings.enabled {
            return;
        }
        if let Err(error) = self.look_back().await {
            tracing::warn!(%error, "who was missed before this start is not known, and not called back");
        }
        loop {
            let now = self.services.clock.now();
            let first = self.waiting.queue.lock().due.first().map(|(at, _)| *at);
            let wait = first.map_or(SLEEP_MAX, |at| {
                let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                wait.min(SLEEP_MAX)
            });
            // Who is told to look looks at once.
            let _ = timeout(wait, self.waiting.changed.notified()).await;
            while let Some((call, result)) = self.next_over() {
                self.note(call, |note| note.result = result).await;
            }
            while let Some(call) = self.next_due() {
                self.call(call).await;
            }
        }
    }

    fn next_over(&self) -> Option<(CallId, CallBackResult)> {
        self.waiting.queue.lock().over.pop_front()
    }

    fn next_due(&self) -> Option<CallId> {
        let now = self.services.clock.now();
        let due = &mut self.waiting.queue.lock().due;
        let first = due.first().copied().filter(|(at, _)| *at <= now)?;
        due.remove(&first);
        Some(first.1)
    }

    /// What is left to do of the calls of late.
    async fn look_back(&self) -> Result<()> {
        let storage = &self.services.storage;
        let mut page = Page::first(PAGE);
        loop {
            let businesses = storage.businesses(page).await?;
            for business in businesses.rows.iter().filter(|one| one.arrival.call_back.is_some()) {
                self.look_at(business).await?;
            }
            let Some(next) = businesses.next else { return Ok(()) };
            page = Page { after: Some(next), limit: PAGE };
        }
    }

    async fn look_at(&self, business: &Business) -> Result<()> {
        let (mut page, mut looked_at) = (Page::first(PAGE), 0);
        let oldest =
            self.services.clock.now().checked_sub(ms(self.settings.age_ms_max)).unwrap_or(Timestamp::MIN);
        loop {
            let calls = self.services.storage.calls(&business.id, page).await?;
            for record in &calls.rows {
                looked_at += 1;
                if record.started_at < oldest || looked_at > self.settings.looked_at_max {
                    return Ok(());
                }
                if let Ok(at) = due(business, record, &self.settings) {
                    self.waiting.add(&self.settings, at, record.id);
                }
            }
            let Some(next) = calls.next else { return Ok(()) };
            page = Page { after: Some(next), limit: PAGE };
        }
    }

    /// Calls the caller of this call back, where that is still due.
    async fn call(&self, call: CallId) {
        let again = self.services.clock.now().checked_add(ms(self.settings.again_ms));
        let again = || self.waiting.add(&self.settings, again.unwrap_or(Timestamp::MAX), call);
        if !self.receptionist.makes_calls() {
            return again();
        }
        match timeout(ms(self.settings.store_ms), self.prepare(call)).await {
            Ok(Ok(Some((record, business)))) => {
                let made = self.receptionist.call_back(&record, business).await;
                let what = match &made {
                    Ok(()) => "called",
                    Err(NotMade::Denied) => "denied",
                    Err(NotMade::NoRoom(_)) => "no_room",
                };
                counter!(CALL_BACKS, "what" => what).increment(1);
                if let Err(why) = made {
                    tracing::warn!(call_id = %call, tenant_id = %record.tenant, %why, "a caller was not called back");
                    let gives_up = why == NotMade::Denied;
                    let result = if gives_up { CallBackResult::GivenUp } else { CallBackResult::NotReached };
                    self.note(call, |note| note.result = result).await;
                }
            }
            Ok(Ok(None)) => {}
            Ok(Err(Error::Conflict { .. })) => {}
            Ok(Err(_)) | Err(_) => again(),
        }
    }

    /// Makes sure that it is due and this node's to make, and writes down that it is made.
    async fn prepare(&self, call: CallId) -> Result<Option<(CallRecord, Business)>> {
        let (storage, now) = (&self.services.storage, self.services.clock.now());
        let Some(mut record) = storage.call(call).await? else { return Ok(None) };
        let Some(business) = storage.business(&record.tenant).await? else { return Ok(None) };
        match due(&business, &record, &self.settings) {
            Ok(at) if at <= now => {}
            Ok(at) => {
                self.waiting.add(&self.settings, at, call);
                return Ok(None);
            }
            Err(why) => {
                tracing::debug!(call_id = %call, %why, "a caller is not called back");
                return Ok(None);
            }
        }
        if self.called_again(&business, &record).await? {
            self.note(call, |note| note.result = CallBackResult::GivenUp).await;
            return Ok(None);
        }
        let mut note = record.call_back.unwrap_or_default();
        note.attempts += 1;
        let own = ToolOutcome::Unknown { why: format!("call back by {}", self.services.sharing.life().run) };
        let key = IdempotencyKey(format!("{call}/call-back-{}", note.attempts));
        if storage.remember_outcome(&key, &own).await? != own {
            return Ok(None);
        }
        (note.last_at, note.result) = (Some(now), CallBackResult::NotReached);
        record.call_back = Some(note);
        storage.put_call(&record).await?;
        Ok(Some((record, business)))
    }

    /// Whether the caller has called since, so that this call is nothing to call back for any more.
    async fn called_again(&self, business: &Business, record: &CallRecord) -> Result<bool> {
        let Some(caller) = &record.caller else { return Ok(false) };
        let calls = self.services.storage.calls_by_caller(&record.tenant, caller, Page::first(5)).await?;
        Ok(calls.rows.iter().any(|other| {
            let back = other.arrived.as_ref().is_some_and(|arrived| arrived.route == Route::CalledBack);
            let later = other.id != record.id && Some(other.started_at) > record.ended_at;
            later && !back && call_back::supersedes(business, other)
        }))
    }

    /// Writes down what came of it, and plans the next attempt where one is due.
    async fn note(&self, call: CallId, change: impl FnOnce(&mut CallBackNote)) {
        let noted = async {
            let storage = &self.services.storage;
            let Some(mut record) = storage.call(call).await? else { return Ok(()) };
            let mut note = record.call_back.unwrap_or_default();
            change(&mut note);
            record.call_back = Some(note);
            storage.put_call(&record).await?;
            let Some(business) = storage.business(&record.tenant).await? else { return Ok(()) };
            if let Ok(at) = due(&business, &record, &self.settings) {
                self.waiting.add(&self.settings, at, call);
            }
            Ok::<(), Error>(())
        };
        match timeout(ms(self.settings.store_ms), noted).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(call_id = %call, %error, "what came of a call back is not on record")
            }
            Err(_) => {
                tracing::warn!(call_id = %call, "the store did not take what came of a call back in time")
            }
        }
        // A store that fails must not be asked in a loop.
        sleep(ms(1)).await;
    }
}
