//! What a dead process left behind: its open calls get a true record when a node starts again.

use std::collections::BTreeSet;

use crate::call::{NODE_DIED, note_outcome};
use crate::storage::{Page, Result, Storage};
use crate::types::{CallEvent, CallEventKind, CallRecord, CallTime};

/// Calls read at once.
const PAGE: usize = 256;

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closed {
    /// Calls that were open and have an end now.
    pub calls: usize,
}

/// Closes every call that a process left open: the record says that the node died, how far the call had come by
/// what was written down, and which bookings and messages it made. Its checkpoint is dropped. To be called before
/// the node takes calls; calling it again changes nothing.
///
/// # Errors
/// Where the store fails; what was closed by then stays closed.
pub async fn start_again(storage: &dyn Storage) -> Result<Closed> {
    let (mut closed, mut page, mut seen) = (Closed::default(), Page::first(PAGE), BTreeSet::new());
    loop {
        let listing = storage.open_calls(page).await?;
        for record in listing.rows {
            if seen.insert(record.id) {
                close(storage, record).await?;
                closed.calls += 1;
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

async fn close(storage: &dyn Storage, mut record: CallRecord) -> Result<()> {
    let events = storage.events(record.id).await?;
    for event in &events {
        if let CallEventKind::ToolAnswered { outcome, .. } = &event.kind {
            note_outcome(&mut record, outcome);
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
    storage.drop_checkpoint(record.id).await
}
