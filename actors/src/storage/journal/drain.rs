//! Writing out what waits: one task, some calls at the same time, each call's writes in order.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use metrics::counter;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::entry::Entry;
use super::file::LogError;
use super::keep::Shared;
use super::ledger::Ledger;
use super::record;
use crate::clock::ms;
use crate::storage::metrics::{JOURNAL_REFUSED, JOURNAL_RETRIED, JOURNAL_WRITTEN};
use crate::storage::{Error, Fence, Result, Storage};

/// The file is written anew when it is larger than what waits by this much and twice as large.
const WASTE_BYTES: u64 = 1 << 20;

/// Writes that ask whether a store that was away is back.
const PROBES: usize = 2;

/// How often the journal's age is shown while nothing else happens.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Writes out until it is told to stop.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut wait_ms = shared.settings.retry_ms;
    while !shared.is_stopping.load(Ordering::Acquire) {
        let round = {
            // Nothing is on its way to the store while something is erased.
            let _gate = shared.gate.lock().await;
            round(&shared).await
        };
        tidy(&shared).await;
        shared.measure();
        match round {
            Round::Failed => {
                shared.is_away.store(true, Ordering::Relaxed);
                pause(&shared, shared.chance.spread_ms(wait_ms)).await;
                wait_ms = wait_ms.saturating_mul(2).min(shared.settings.retry_max_ms.max(1));
            }
            Round::Partly => {
                wait_ms = shared.settings.retry_ms;
                pause(&shared, shared.chance.spread_ms(wait_ms)).await;
            }
            Round::Wrote => wait_ms = shared.settings.retry_ms,
            Round::Nothing => {
                // What can't be marked is tried again; everything else wakes us.
                let _ = timeout(LOOK_EVERY, shared.wake.notified()).await;
            }
        }
    }
}

/// Waits, unless the node stops.
async fn pause(shared: &Shared, wait_ms: u64) {
    let stopped = async {
        while !shared.is_stopping.load(Ordering::Acquire) {
            shared.wake.notified().await;
        }
    };
    tokio::select! {
        () = sleep(ms(wait_ms)) => {}
        () = stopped => {}
    }
}

enum Round {
    /// There was nothing to write.
    Nothing,
    /// All that was tried is written.
    Wrote,
    /// The store took some and did not take others: it works, and one that it never takes holds up its own call
    /// only.
    Partly,
    /// The store took nothing.
    Failed,
}

async fn round(shared: &Arc<Shared>) -> Round {
    let Ok(store) = shared.store() else { return Round::Nothing };
    let is_away = shared.is_away.load(Ordering::Relaxed);
    // A store that was away is asked with few writes first; with more than one, since one alone may be one that it
    // never takes.
    let lanes = if is_away { PROBES } else { shared.settings.drain_calls };
    let sent = shared.ledger.lock().send(lanes);
    if sent.is_empty() {
        shared.is_away.store(false, Ordering::Relaxed);
        return Round::Nothing;
    }
    let mut writes = JoinSet::new();
    let mut numbers = std::collections::HashMap::new();
    for (number, entry) in sent {
        let kind = entry.kind();
        let (store, write_ms) = (Arc::clone(store), shared.settings.drain_write_ms);
        let task = writes.spawn(async move {
            let written = timeout(ms(write_ms), make(&*store, &entry)).await;
            written.unwrap_or_else(|_| Err(Error::Unknown { why: format!("no answer in {write_ms} ms") }))
        });
        numbers.insert(task.id(), (number, kind));
    }
    let (mut failed, mut settled) = (None, 0_usize);
    while let Some(joined) = writes.join_next_with_id().await {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Err(Error::Unknown { why: "the write panicked".to_owned() })),
        };
        let Some(&(number, kind)) = numbers.get(&id) else { continue };
        let is_settled = match given_up_or_failed(outcome, number, kind) {
            None => true,
            Some(error) => {
                failed = Some(error);
                false
            }
        };
        settled += usize::from(is_settled);
        shared.ledger.lock().answered(number, is_settled);
    }
    if settled > 0 && is_away {
        tracing::info!("the store takes writes again; the journal's are made now");
        shared.is_away.store(false, Ordering::Relaxed);
    }
    match failed {
        None => Round::Wrote,
        Some(_) if settled > 0 => {
            counter!(JOURNAL_RETRIED).increment(1);
            Round::Partly
        }
        Some(error) => {
            counter!(JOURNAL_RETRIED).increment(1);
            if !is_away {
                tracing::warn!(%error, "the store takes no writes; those of calls are kept in the journal");
            }
            Round::Failed
        }
    }
}

/// Why a write is to be made again; none where it was made, or never will be.
fn given_up_or_failed(outcome: Result<()>, number: u64, kind: &'static str) -> Option<Error> {
    match outcome {
        Ok(()) => {
            counter!(JOURNAL_WRITTEN).increment(1);
            None
        }
        Err(error @ (Error::Conflict { .. } | Error::Corrupt { .. })) => {
            // What comes after it would wait for ever.
            counter!(JOURNAL_REFUSED, "kind" => "store").increment(1);
            tracing::error!(%error, number, kind, "the store refuses a write of the journal; it is given up");
            None
        }
        Err(error) => Some(error),
    }
}

/// Makes a write.
async fn make(store: &dyn Storage, entry: &Entry) -> Result<()> {
    match entry {
        Entry::Call(record) => store.put_call(record).await,
        Entry::Events { call, events } => store.append_events(*call, events).await,
        Entry::Checkpoint { call, fence: Some(fence), state } => {
            store.put_checkpoint(*call, *fence, state).await
        }
        Entry::DropCheckpoint { call, fence: Some(fence) } => store.drop_checkpoint(*call, *fence).await,
        Entry::Checkpoint { fence: None, .. } | Entry::DropCheckpoint { fence: None, .. } => {
            make_unfenced(store, entry).await
        }
        Entry::Recording(recording) => store.put_recording(recording).await,
        Entry::RecordingUpdate(recording) => store.update_recording(recording).await.map(drop),
        Entry::Message { message, key } => store.put_message(message, key).await.map(drop),
        Entry::Outcome { key, outcome } => store.remember_outcome(key, outcome).await.map(drop),
        Entry::Erase { call, extent } => {
            let erasure = store.erase_call(*call, *extent).await?;
            if erasure.live > 0 {
                tracing::warn!(call_id = %call, "an erased call goes on elsewhere; erase again when it is over");
            }
            Ok(())
        }
    }
}

/// Makes a write of before there were claims in them: a state is that of the process that the call came to, and
/// whoever has written the call's end drops it. Of a call that is not there nothing is kept.
async fn make_unfenced(store: &dyn Storage, entry: &Entry) -> Result<()> {
    match entry {
        Entry::Checkpoint { call, state, .. } => match store.call(*call).await? {
            Some(record) => {
                let fence = Fence { claim: 0, ..Fence::of(&record) };
                store.put_checkpoint(*call, fence, state).await
            }
            None => Ok(()),
        },
        Entry::DropCheckpoint { call, .. } => match store.call(*call).await? {
            Some(record) => store.drop_checkpoint(*call, Fence::of(&record)).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// All that is not in the store, for a file in the place of this one.
pub(super) fn anew(ledger: &Ledger) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, at, entry) in ledger.unwritten() {
        // It was written once before.
        bytes.extend(record::write(number, at, &entry).unwrap_or_default());
    }
    bytes
}

/// Marks what was written, empties the file where nothing else is in it, and writes it anew where it is mostly
/// marks or a sync failed.
async fn tidy(shared: &Shared) {
    let (marks, clean, synced) = {
        let ledger = shared.ledger.lock();
        let marks = ledger.to_mark();
        let is_wasteful = shared.log.bytes() > ledger.bytes().saturating_mul(2).saturating_add(WASTE_BYTES);
        let is_empty = ledger.is_all_written() && (!marks.is_empty() || is_wasteful || ledger.is_stale());
        let bytes = if is_empty {
            Some(Vec::new())
        } else if is_wasteful || shared.log.is_suspect() || ledger.is_stale() {
            Some(anew(&ledger))
        } else {
            None
        };
        match bytes {
            Some(bytes) => (marks, Some(ledger.erasures()), shared.log.replace(bytes)),
            None if marks.is_empty() => return,
            None => {
                let bytes = marks.iter().flat_map(|number| record::done(*number)).collect();
                (marks, None, shared.log.append(bytes))
            }
        }
    };
    match synced.await.unwrap_or(Err(LogError::Closed)) {
        Ok(()) => {
            let mut ledger = shared.ledger.lock();
            ledger.marked(&marks);
            clean.into_iter().for_each(|erasures| ledger.clean(erasures));
            drop(ledger);
            shared.progress.notify_waiters();
        }
        Err(error) => tracing::warn!(%error, "what was written from the journal could not be marked so"),
    }
}
