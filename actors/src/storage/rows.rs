//! What a store takes and gives beside the words of the business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::types::{Booking, BookingId, CallId, CallRecord, Holder, RecordingId, ResourceId, TenantId};

/// Which part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where the last page ended; absent for the first.
    pub after: Option<Cursor>,
    /// At most so many rows; a store gives at most 1,000 at once, and at least one.
    pub limit: usize,
}

impl Page {
    /// The first `limit` rows.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}

/// A place in a listing; opaque, and stable while rows are added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The rows, in the listing's order.
    pub rows: Vec<T>,
    /// Where the next page starts; absent after the last.
    pub next: Option<Cursor>,
}

/// `call_id/step`: the same key twice means the same act, done once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub String);

/// A span of a resource's time that an appointment takes, its buffer included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupied {
    /// Whose time.
    pub resource: ResourceId,
    /// From here.
    pub from: Timestamp,
    /// To here, not included.
    pub until: Timestamp,
    /// By which appointment.
    pub booking: BookingId,
}

/// What became of a change to the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, on the stack")]
pub enum BookingWrite {
    /// It is written; where the key was used before, this is what was written then.
    Written(Booking),
    /// The time was taken; nothing was written.
    Taken,
    /// There is no such appointment in that version; nothing was written.
    Stale,
}

/// What a process has lost that writes of a call which was claimed from it.
pub(super) const HOLDER: &str = "call's holder";

/// Who owns a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its name; no two that may own the same thing have the same.
    pub who: String,
    /// How often the thing changed hands, the first time included: whoever has a lower one is not its owner any
    /// more.
    pub epoch: u64,
}

/// By what claim a process writes of a call that goes on: of what is written by different ones the latest claim's
/// counts, whenever it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// When the call began.
    pub started_at: Timestamp,
    /// How often it was claimed from another process by then.
    pub claim: u32,
}

impl Fence {
    /// Of the process that has the call, as its record says.
    #[must_use]
    pub fn of(record: &CallRecord) -> Self {
        Self { started_at: record.started_at, claim: record.claim() }
    }
}

/// What became of the wish for a call that another process has.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It has changed hands. The record as it stands, which says so.
    Granted(Box<CallRecord>),
    /// It is another process's than was thought.
    Held(Option<Holder>),
    /// It is over, or there is no such call.
    Over,
}

/// What is known of a recording. Its audio is not here: it lies sealed in segments beside the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its identity.
    pub id: RecordingId,
    /// Whose.
    pub tenant: TenantId,
    /// Of which call.
    pub call: CallId,
    /// When its first sample was heard.
    pub started_at: Timestamp,
    /// The key of its audio, sealed with its business's key.
    pub sealed_key: Vec<u8>,
    /// Samples per second of each side.
    pub rate_hz: u32,
    /// Samples of each side in every segment but the last.
    pub segment_samples: u32,
    /// What came of it; absent while it goes on, and for ever where the process died.
    pub finished: Option<FinishedRecording>,
    /// The one object that its segments were merged into; absent while they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<MergedRecording>,
}

impl Recording {
    /// Whether there is work left after the call: its segments are not merged, or not removed yet.
    #[must_use]
    pub fn to_merge(&self) -> bool {
        self.finished.is_some() && self.merged.as_ref().is_none_or(|merged| !merged.segments_removed)
    }
}

/// What came of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedRecording {
    /// How many segments it has.
    pub segments: u32,
    /// How many samples each side has.
    pub samples: u64,
    /// The segments that could not be kept, by number; silence is played instead.
    pub lost_segments: Vec<u32>,
    /// Its process died: these are the segments that were found, and there may have been more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
}

/// A recording as one object: Ogg/Opus (RFC 7845), sealed in chunks of whole pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedRecording {
    /// The object's name in the recording's folder. Each merge has its own, and its own key.
    pub object: String,
    /// The key of its chunks, sealed with its business's key.
    pub sealed_key: Vec<u8>,
    /// What a decoder drops at the start (RFC 7845's pre-skip): samples of each side at 48,000 a second.
    pub lead: u64,
    /// Its chunks, in order.
    pub chunks: Vec<MergedChunk>,
    /// Whether the segments are gone.
    pub segments_removed: bool,
}

/// A sealed chunk of a merged recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedChunk {
    /// Its length as it lies there, in bytes.
    pub bytes: u32,
    /// The granule position that its last page ends at: samples of each side at 48,000 a second, the encoder's
    /// lead included.
    pub until: u64,
}

/// A business's key, sealed with the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedKey {
    /// Whose.
    pub tenant: TenantId,
    /// The sealed key.
    pub sealed: Vec<u8>,
}
