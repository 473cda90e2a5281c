//! What a dead process left behind: its open calls get a true record when its node starts again.
//!
//! Several nodes may share the store. A node closes the calls of its own earlier lives and nobody else's; each it
//! claims before, so that a process that was only frozen writes nothing of it any more, and before all it makes sure
//! that it is its node's latest life: whoever was superseded closes nothing.

use std::collections::BTreeSet;

use crate::call::{NODE_DIED, note_outcome};
use crate::storage::coordination::{Coordination, NodeRun};
use crate::storage::{Claim, Error, Fence, Page, Result, Storage};
use crate::types::{CallEvent, CallEventKind, CallRecord, CallTime, Life, RecordingId};

/// Calls read at once.
const PAGE: usize = 256;
/// How often a call is claimed that changes hands meanwhile.
const CLAIMS_MAX: u32 = 8;
/// How long what the nodes share keeps in mind that a dead process's state was forgotten, in milliseconds: longer than
/// one that was only frozen goes on before it hears that.
const FORGOTTEN_MS: u64 = 3_600_000;
/// The kind of a node among the owners in the store.
const NODE: &str = "node";

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed {
    /// Calls that were open and have an end now.
    pub calls: usize,
    /// Calls of earlier lives of this node that could not be closed yet: what they wrote waits to be written. To be
    /// tried again.
    pub left: usize,
    /// The recordings of those that were closed: what was kept of them is still to be brought to an end (see
    /// [`Recordings::salvage`](crate::storage::recordings::Recordings::salvage)).
    pub recordings: Vec<RecordingId>,
}

/// Whether a process is its node's latest life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is, as the life of this number.
    Latest {
        /// How many lives the node has had.
        epoch: u64,
    },
    /// A process of the same name was started after it.
    Superseded,
}

/// Makes this process its node's latest life. To be called once, before it writes anything.
///
/// # Errors
/// Where the store fails; to be called again.
pub async fn begin_life(storage: &dyn Storage, life: &Life) -> Result<u64> {
    storage.take_ownership(NODE, &life.node, &life.run).await.map(|owner| owner.epoch)
}

/// Whether this process still is its node's latest life. A store that knows of none has lost what it knew (it was
/// made anew), and is told.
///
/// # Errors
/// Where the store fails.
pub async fn standing(storage: &dyn Storage, life: &Life) -> Result<Standing> {
    match storage.owner(NODE, &life.node).await? {
        Some(owner) if owner.who == life.run => Ok(Standing::Latest { epoch: owner.epoch }),
        Some(_) => Ok(Standing::Superseded),
        None => begin_life(storage, life).await.map(|epoch| Standing::Latest { epoch }),
    }
}

/// Closes every call that an earlier life of this node left open: the record says that the node died, how far the
/// call had come by what was written down, and which bookings and messages it made. Its checkpoint is dropped, and
/// what the nodes share of it. To be called after [`begin_life`]; calling it again changes nothing.
///
/// # Errors
/// Where the store fails, or this process was superseded ([`Error::Conflict`]); what was closed by then stays
/// closed.
pub async fn start_again(
    storage: &dyn Storage,
    coordination: &dyn Coordination,
    life: &Life,
) -> Result<Closed> {
    let (mut closed, mut page, mut seen) = (Closed::default(), Page::first(PAGE), BTreeSet::new());
    loop {
        let listing = storage.open_calls(page).await?;
        let own = listing.rows.into_iter().filter(|record| is_of_earlier_life(record, life));
        let own: Vec<CallRecord> = own.filter(|record| seen.insert(record.id)).collect();
        // Asked after they were read: a later life takes its node over before it writes anything, so that none of
        // these is a later life's.
        if !own.is_empty() && standing(storage, life).await? == Standing::Superseded {
            return Err(Error::Conflict { what: "node" });
        }
        for record in own {
            match claimed(storage, record, life).await {
                Ok(Some((record, runs))) => {
                    closed.recordings.extend(close(storage, &record).await?);
                    forget(coordination, &record, &runs).await;
                    closed.calls += 1;
                }
                Ok(None) => {}
                Err(Error::Unavailable { why }) => {
                    tracing::debug!(why, "a call of an earlier life is not closed yet");
                    closed.left += 1;
                }
                Err(error) => return Err(error),
            }
        }
        let Some(next) = listing.next else { break };
        page = Page { after: Some(next), limit: PAGE };
    }
    if closed.calls > 0 {
        tracing::warn!(calls = closed.calls, "closed the calls that a dead process left open");
    }
    Ok(closed)
}

/// One that does not say who has it was written when a store had one node.
fn is_of_earlier_life(record: &CallRecord, life: &Life) -> bool {
    record.held_by.as_ref().is_none_or(|held| held.life.node == life.node && held.life.run != life.run)
}

/// The call's record, once it is this process's, and the lives that had it; none where it is over, or another
/// node's.
async fn claimed(
    storage: &dyn Storage,
    record: CallRecord,
    life: &Life,
) -> Result<Option<(CallRecord, Vec<NodeRun>)>> {
    let (mut from, mut runs) = (record.held_by.map(|held| held.life), Vec::new());
    for _ in 0..CLAIMS_MAX {
        runs.extend(from.as_ref().map(NodeRun::from));
        match storage.claim_call(record.id, from.as_ref(), life).await? {
            Claim::Granted(record) => return Ok(Some((*record, runs))),
            Claim::Held(Some(held)) if held.life.node == life.node => from = Some(held.life),
            Claim::Held(_) | Claim::Over => return Ok(None),
        }
    }
    Ok(None)
}

/// The call's recording, where there is one.
async fn close(storage: &dyn Storage, record: &CallRecord) -> Result<Option<RecordingId>> {
    let mut record = record.clone();
    let events = storage.events(record.id).await?;
    for event in &events {
        match &event.kind {
            CallEventKind::ToolAnswered { outcome, .. } => note_outcome(&mut record, outcome),
            CallEventKind::RecordingStarted { recording, .. } => record.recording = Some(*recording),
            _ => {}
        }
    }
    let last = events.last().map_or(CallTime::START, |event| event.at);
    let ended = events.iter().find_map(|event| match event.kind {
        CallEventKind::Ended { outcome } => Some(outcome),
        _ => None,
    });
    if ended.is_none() {
        let seq = events.last().map_or(0, |event| event.seq + 1);
        let kind = CallEventKind::Ended { outcome: NODE_DIED };
        storage.append_events(record.id, &[CallEvent { seq, at: last, kind }]).await?;
    }
    // The last thing known is the latest that the call surely lasted to.
    crate::call::end(&mut record, last, ended.unwrap_or(NODE_DIED));
    storage.put_call(&record).await?;
    storage.drop_checkpoint(record.id, Fence::of(&record)).await?;
    Ok(record.recording)
}

/// Takes what the nodes share of a call away: its tenant has room again, and nobody asks the dead for it. Where that
/// can't be told it expires by itself.
async fn forget(coordination: &dyn Coordination, record: &CallRecord, runs: &[NodeRun]) {
    let mut told = coordination.leave(&record.tenant, record.id).await;
    for run in runs {
        told = told.and(coordination.remove_call(record.id, run).await);
    }
    told = told.and(coordination.drop_checkpoint(record.id, record.claim(), FORGOTTEN_MS).await);
    if let Err(error) = told {
        tracing::debug!(call_id = %record.id, %error, "what the nodes share of a dead call is left to expire");
    }
}
