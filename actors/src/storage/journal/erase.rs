//! What erasing makes of what waits.
//!
//! Of a call that is over everything makes way for what erases it in the store, too: its recordings' rows without
//! their keys, so that their objects are removed, its record without what was said and who called, and the erasure.
//! These are made in their order like any other write, so that it does not matter how much of the call is in the
//! store already, nor whether the process dies in between. The file is written anew without the rest before anybody
//! is told that it is gone.

use std::collections::HashSet;

use super::entry::{Entry, Lane};
use crate::storage::mention::mentions;
use crate::storage::{Erased, Extent, IdempotencyKey};
use crate::types::{CallId, CallRecord, Heading, PhoneNumber, Private, RecordingId, TenantId};

/// What is to be erased.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'w> {
    /// A call.
    Call(CallId, Extent),
    /// A caller of a business.
    Caller(&'w TenantId, &'w PhoneNumber),
    /// A business.
    Tenant(&'w TenantId),
}

impl Which<'_> {
    pub(super) const fn extent(&self) -> Extent {
        match self {
            Self::Call(_, extent) => *extent,
            Self::Caller(..) | Self::Tenant(_) => Extent::Everything,
        }
    }

    /// Whether a call's record, with what waits of it, is among what is to be erased.
    pub(super) fn has<'e>(&self, record: &CallRecord, waiting: impl Iterator<Item = &'e Entry>) -> bool {
        match self {
            Self::Call(call, _) => record.id == *call,
            Self::Tenant(tenant) => record.tenant == **tenant,
            Self::Caller(tenant, caller) => {
                let theirs = || {
                    record.caller.as_ref().is_some_and(|other| other.reveal().reaches_same_line(caller))
                        || mentions(record.summary.reveal().as_bytes(), caller)
                };
                record.tenant == **tenant && (theirs() || events_mention(waiting, caller))
            }
        }
    }

    /// Whether this by itself is among it, whatever becomes of its call.
    pub(super) fn has_alone(&self, entry: &Entry) -> bool {
        let Self::Caller(tenant, caller) = self else { return false };
        match entry {
            Entry::Message { message, .. } => message.tenant == **tenant && mentions(&bytes(message), caller),
            _ => false,
        }
    }
}

fn events_mention<'e>(mut waiting: impl Iterator<Item = &'e Entry>, caller: &PhoneNumber) -> bool {
    waiting.any(|entry| match entry {
        Entry::Events { events, .. } => events.iter().any(|event| mentions(&bytes(event), caller)),
        _ => false,
    })
}

fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The call that a tool call's key belongs to: keys are `call_id/step`.
pub(super) fn call_of(key: &IdempotencyKey) -> Option<CallId> {
    key.0.split('/').next()?.parse().ok()
}

/// The call that a write is one of.
pub(super) fn call_of_lane(lane: &Lane) -> Option<CallId> {
    match lane {
        Lane::Call(call) => Some(*call),
        Lane::Tool(key) => call_of(key),
    }
}

/// What takes the place of a call's writes.
pub(super) fn instead<'e>(
    record: &CallRecord,
    extent: Extent,
    waiting: impl Iterator<Item = &'e Entry>,
) -> Vec<Entry> {
    let (mut seen, mut entries) = (HashSet::<RecordingId>::new(), Vec::new());
    for entry in waiting {
        // One that was begun in the store is found there.
        if let Entry::Recording(row) = entry
            && seen.insert(row.id)
        {
            let mut row = row.clone();
            (row.sealed_key, row.merged) = (Vec::new(), None);
            entries.push(Entry::Recording(row));
        }
    }
    entries.push(Entry::Call(Box::new(stripped(record))));
    entries.push(Entry::Erase { call: record.id, extent });
    entries
}

/// What is left of a record: how it is found, and what it leads to.
fn stripped(record: &CallRecord) -> CallRecord {
    CallRecord {
        caller: None,
        heading: Heading::Nothing,
        summary: Private::default(),
        latencies: Vec::new(),
        ..record.clone()
    }
}

/// Counts what goes.
pub(super) fn count(entry: &Entry, erased: &mut Erased) {
    match entry {
        Entry::Events { events, .. } => erased.events += events.len() as u64,
        Entry::Message { .. } => erased.messages += 1,
        Entry::Outcome { .. } => erased.outcomes += 1,
        Entry::Checkpoint { .. } => erased.checkpoints += 1,
        Entry::Recording(_) => erased.recordings += 1,
        Entry::Call(_) | Entry::RecordingUpdate(_) | Entry::DropCheckpoint { .. } | Entry::Erase { .. } => {}
    }
}
