//! A conversation as bytes, so that another process can go on with it, and as a summary for whoever looks on.

use serde::{Deserialize, Serialize};

use super::{Conversation, IgnoredWhy, TimerReason};
use super::{Effect, phase::Phase};
use crate::types::{CallTime, Heading, ToolStep};

/// The version of the bytes that this code writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// A state that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was written by another version.
    #[error("the conversation's state has version {found}, this program reads version {VERSION}")]
    UnknownVersion {
        /// Its version.
        found: u32,
    },
    /// It is damaged.
    #[error("the conversation's state can't be read: {why}")]
    Unreadable {
        /// Where it breaks off, without personal data.
        why: String,
    },
}

/// What can be told about a running conversation; nothing personal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Snapshot {
    /// The phase, by name.
    pub phase: &'static str,
    /// The number of the caller's turn.
    pub turn: u64,
    /// Questions asked so far.
    pub questions: u64,
    /// Whether the caller hears us.
    pub speaking: bool,
    /// Whether the caller speaks.
    pub caller_speaking: bool,
    /// Whether we are on hold.
    pub held: bool,
    /// The tools whose outcome is awaited.
    pub tools_pending: Vec<ToolStep>,
    /// What the call is about, so far.
    pub heading: Heading,
    /// The next deadline.
    pub next_deadline: Option<(CallTime, TimerReason)>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    conversation: &'a Conversation,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Deserialize)]
struct Read {
    conversation: Conversation,
}

impl Conversation {
    /// Writes the state. Effects must have been drained: they are not part of it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Every type in the state serialises; were one not to, the empty bytes would be refused when read.
        serde_json::to_vec(&Written { version: VERSION, conversation: self }).unwrap_or_default()
    }

    /// Reads a state.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`] where another version wrote it, [`Error::Unreadable`] where it is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let unreadable = |error: serde_json::Error| Error::Unreadable {
            why: format!("{:?} at line {}, column {}", error.classify(), error.line(), error.column()),
        };
        let Versioned { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if version != VERSION {
            return Err(Error::UnknownVersion { found: version });
        }
        let Read { conversation } = serde_json::from_slice(bytes).map_err(unreadable)?;
        Ok(conversation)
    }

    /// What can be told about it now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            phase: self.phase.name(),
            turn: self.ear.turn(),
            questions: self.questions,
            speaking: self.mouth.is_audible(),
            caller_speaking: self.ear.is_voice(),
            held: self.held,
            tools_pending: self.tools.pending(),
            heading: self.heading,
            next_deadline: self.next_deadline(),
        }
    }

    /// What the call is about, as its brain said last.
    #[must_use]
    pub const fn heading(&self) -> Heading {
        self.heading
    }

    /// The last thing that the caller heard us say, but for fillers.
    #[must_use]
    pub fn last_said(&self) -> &str {
        &self.last_said
    }

    /// Whether the call is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Whether the caller waits for us: for an answer, a tool, a goodbye.
    #[must_use]
    pub const fn is_our_turn(&self) -> bool {
        self.our_turn_since.is_some()
    }

    pub(super) fn ignore(&mut self, why: IgnoredWhy) {
        self.effects.push_back(Effect::Ignored(why));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Start;
    use super::*;

    fn drained() -> Conversation {
        let mut conversation = Conversation::new(Start::default());
        while conversation.poll_effect().is_some() {}
        conversation
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let state = drained();
        assert_eq!(Conversation::from_bytes(&state.to_bytes()), Ok(state));
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let text = String::from_utf8(drained().to_bytes()).unwrap().replace("\"version\":1", "\"version\":7");
        let error = Conversation::from_bytes(text.as_bytes()).unwrap_err();
        assert_eq!(error, Error::UnknownVersion { found: 7 });
        assert!(error.to_string().contains("version 7"));
    }

    #[test]
    fn damage_is_refused_without_a_panic() {
        let bytes = drained().to_bytes();
        for length in 0..bytes.len() {
            assert!(Conversation::from_bytes(&bytes[..length]).is_err());
        }
    }
}
