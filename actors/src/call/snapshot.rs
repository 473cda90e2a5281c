//! A live call as seen from outside.

use serde::{Deserialize, Serialize};

use crate::types::{CallId, CallRecord, CallTime};

/// A live call at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which call.
    pub call: CallId,
    /// How far it is.
    pub at: CallTime,
    /// The phase of its conversation.
    pub phase: String,
    /// Its record as it stands.
    pub record: CallRecord,
    /// Events told so far.
    pub events: u32,
    /// Utterances that wait for their audio or play.
    pub speaking: usize,
    /// Whether a recogniser listens.
    pub listening: bool,
    /// Tools that are under way.
    pub tools: usize,
    /// Whether we have hung up and wait for the leg's end.
    pub ending: bool,
    /// Its whole state: a [`super::Checkpoint`]'s bytes.
    pub state: Vec<u8>,
}
