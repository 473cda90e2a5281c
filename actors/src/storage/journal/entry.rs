//! What may be written later.

use serde::{Deserialize, Serialize};

use crate::storage::{Extent, Fence, IdempotencyKey, Recording};
use crate::types::{CallEvent, CallId, CallRecord, Message, ToolOutcome};

/// A write that is safe to make later, and to make twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// A call's summary row.
    Call(Box<CallRecord>),
    /// Events of a call.
    Events { call: CallId, events: Vec<CallEvent> },
    /// A live call's state.
    Checkpoint {
        call: CallId,
        /// By what claim; an entry without one was written before there were any.
        #[serde(default)]
        fence: Option<Fence>,
        #[serde(with = "hexadecimal")]
        state: Vec<u8>,
    },
    /// A call is over: its state is forgotten.
    DropCheckpoint {
        call: CallId,
        #[serde(default)]
        fence: Option<Fence>,
    },
    /// What is known of a recording.
    Recording(Box<Recording>),
    /// What is known of a recording now, where it was not erased meanwhile.
    RecordingUpdate(Box<Recording>),
    /// A message with its key.
    Message { message: Box<Message>, key: IdempotencyKey },
    /// What a tool call that changed nothing came to.
    Outcome { key: IdempotencyKey, outcome: Box<ToolOutcome> },
    /// The call is to be erased: what it has in the store goes, too.
    Erase { call: CallId, extent: Extent },
}

/// Writes of one lane are made in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// All that is one call's.
    Call(CallId),
    /// A tool call, by its key.
    Tool(IdempotencyKey),
}

impl Entry {
    pub(super) fn lane(&self) -> Lane {
        match self {
            Self::Call(record) => Lane::Call(record.id),
            Self::Events { call, .. }
            | Self::Checkpoint { call, .. }
            | Self::DropCheckpoint { call, .. }
            | Self::Erase { call, .. } => Lane::Call(*call),
            Self::Recording(recording) | Self::RecordingUpdate(recording) => Lane::Call(recording.call),
            Self::Message { message, .. } => Lane::Call(message.call),
            Self::Outcome { key, .. } => Lane::Tool(key.clone()),
        }
    }

    /// Whether this makes an earlier one of the same lane needless: only the last state of a call is of use, and of
    /// two claims only the later one's.
    pub(super) fn replaces(&self, earlier: &Self) -> bool {
        let (Self::Checkpoint { fence, .. } | Self::DropCheckpoint { fence, .. }) = self else {
            return false;
        };
        let Self::Checkpoint { fence: before, .. } = earlier else { return false };
        let claim = |fence: &Option<Fence>| fence.map_or(0, |fence| fence.claim);
        claim(before) <= claim(fence)
    }

    /// Its kind, for the log.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Events { .. } => "events",
            Self::Checkpoint { .. } => "checkpoint",
            Self::DropCheckpoint { .. } => "drop_checkpoint",
            Self::Recording(_) => "recording",
            Self::RecordingUpdate(_) => "recording_update",
            Self::Message { .. } => "message",
            Self::Outcome { .. } => "outcome",
            Self::Erase { .. } => "erase",
        }
    }
}

/// Whether an outcome may be remembered later: one that changed something is remembered with what it changed.
pub(super) const fn changed_nothing(outcome: &ToolOutcome) -> bool {
    matches!(outcome, ToolOutcome::SlotTaken { .. } | ToolOutcome::NotFound | ToolOutcome::Refused { .. })
}

/// Bytes as digits: a list of numbers would take twice the room.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}", Digits(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        (0..text.len())
            .step_by(2)
            .map(pair)
            .collect::<Option<_>>()
            .ok_or_else(|| serde::de::Error::custom("not hexadecimal digits"))
    }

    struct Digits<'a>(&'a [u8]);

    impl std::fmt::Display for Digits<'_> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries as the first version wrote them; a file may hold some for as long as a store is away.
    #[test]
    fn entries_without_a_claim_are_read() {
        let call = CallId::new(uuid::Uuid::from_u128(7));
        let read = |text: &str| serde_json::from_str::<Entry>(text).expect("readable");
        let put = read(r#"{"checkpoint":{"call":"00000000-0000-0000-0000-000000000007","state":"00ff"}}"#);
        assert_eq!(put, Entry::Checkpoint { call, fence: None, state: vec![0, 255] });
        let gone = read(r#"{"drop_checkpoint":{"call":"00000000-0000-0000-0000-000000000007"}}"#);
        assert_eq!(gone, Entry::DropCheckpoint { call, fence: None });
        assert!(gone.replaces(&put));
        let later = Some(Fence { started_at: jiff::Timestamp::UNIX_EPOCH, claim: 2 });
        let later = Entry::Checkpoint { call, fence: later, state: Vec::new() };
        assert_eq!(read(&serde_json::to_string(&later).expect("small")), later);
        assert!(later.replaces(&put) && !gone.replaces(&later), "a claim that was lost replaces nothing");
    }
}
