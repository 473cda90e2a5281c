//! What may be written later.

use serde::{Deserialize, Serialize};

use crate::storage::{Extent, IdempotencyKey, Recording};
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
        #[serde(with = "hexadecimal")]
        state: Vec<u8>,
    },
    /// A call is over: its state is forgotten.
    DropCheckpoint { call: CallId },
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
            | Self::DropCheckpoint { call }
            | Self::Erase { call, .. } => Lane::Call(*call),
            Self::Recording(recording) | Self::RecordingUpdate(recording) => Lane::Call(recording.call),
            Self::Message { message, .. } => Lane::Call(message.call),
            Self::Outcome { key, .. } => Lane::Tool(key.clone()),
        }
    }

    /// Whether this makes an earlier one of the same lane needless: only the last state of a call is of use.
    pub(super) const fn replaces(&self, earlier: &Self) -> bool {
        matches!(self, Self::Checkpoint { .. } | Self::DropCheckpoint { .. })
            && matches!(earlier, Self::Checkpoint { .. })
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
