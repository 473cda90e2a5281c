//! What it means to erase, and what an erasure came to.
//!
//! A store erases rows; objects lie elsewhere. So a recording's row makes way for a [`Removal`] in the same act:
//! its key is gone at once, and whoever removes objects finds in the list what is left to do, however often
//! processes die in between.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::Cursor;
use crate::types::{CallId, RecordingId, TenantId};

/// How much of a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// What was said and heard: its record, events, recording, messages, and what its tools remember. The
    /// appointments it made stand.
    Conversation,
    /// All of that, and the appointments it made; their time is free again.
    Everything,
}

/// How many rows of each kind are gone. Names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Erased {
    /// Calls' records.
    pub calls: u64,
    /// Calls' events.
    pub events: u64,
    /// Recordings, each with its key.
    pub recordings: u64,
    /// Appointments.
    pub bookings: u64,
    /// Messages.
    pub messages: u64,
    /// What tool calls came to, and what was written under their keys.
    pub outcomes: u64,
    /// States of calls.
    pub checkpoints: u64,
    /// Businesses.
    pub businesses: u64,
    /// Businesses' keys.
    pub keys: u64,
    /// Users, each with their e-mail address. Not written where there was none: an audit is told by the digests of
    /// its rows, and those of before have no such field.
    #[serde(skip_serializing_if = "is_zero")]
    pub users: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "it is asked so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl AddAssign for Erased {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.events += more.events;
        self.recordings += more.recordings;
        self.bookings += more.bookings;
        self.messages += more.messages;
        self.outcomes += more.outcomes;
        self.checkpoints += more.checkpoints;
        self.businesses += more.businesses;
        self.keys += more.keys;
        self.users += more.users;
    }
}

impl Erased {
    /// Whether nothing was there to erase.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What one step of an erasure came to. Steps may be repeated: what is gone is not found again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Erasure {
    /// What is gone.
    pub erased: Erased,
    /// Calls that go on, and were left as they are: erase again when they are over.
    pub live: u64,
    /// Where the next step starts; absent after the last.
    pub next: Option<Cursor>,
    /// The calls whose records are gone, for what is kept of them elsewhere. Not told to who asked.
    #[serde(skip)]
    pub calls: Vec<CallId>,
}

impl Erasure {
    /// Adds what another step came to; where that one ended is where this one does.
    pub fn add(&mut self, step: Self) {
        self.erased += step.erased;
        self.live += step.live;
        self.next = step.next;
        self.calls.extend(step.calls);
    }
}

/// A recording whose row is gone and whose objects must go. They can't be opened any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Which recording.
    pub recording: RecordingId,
    /// Whose it was: it is a part of the objects' names.
    pub tenant: TenantId,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of an audit's rows are those of this text.
    #[test]
    fn what_was_erased_before_there_were_users_is_written_as_it_was() {
        let text = "{\"calls\":1,\"events\":2,\"recordings\":0,\"bookings\":0,\"messages\":0,\"outcomes\":0,\
            \"checkpoints\":0,\"businesses\":0,\"keys\":0}";
        let erased: Erased = serde_json::from_str(text).expect("readable");
        assert_eq!(serde_json::to_string(&erased).expect("small"), text);
        let users = serde_json::to_string(&Erased { users: 3, ..erased }).expect("small");
        assert!(users.ends_with(",\"users\":3}"), "{users}");
    }
}
