//! What became of the attempt to hand a caller over to a person.

use serde::{Deserialize, Serialize};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOverOutcome {
    /// The person took the call.
    Answered,
    /// Their line is busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// They answered and did not want it, or refused it.
    Declined,
    /// Something answered that presses no key: a mailbox.
    Voicemail,
    /// They can't be called: no such number, no way there, a network that fails, or it is not allowed.
    Unreachable,
}

impl HandOverOutcome {
    /// What a final SIP status of the call to the person means (RFC 3261 section 21).
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Answered,
            486 | 600 => Self::Busy,
            603 | 607 => Self::Declined,
            408 | 480 | 487 => Self::NoAnswer,
            _ => Self::Unreachable,
        }
    }

    /// Its name, as in records and for people who read them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::NoAnswer => "no answer",
            Self::Declined => "declined",
            Self::Voicemail => "voicemail",
            Self::Unreachable => "unreachable",
        }
    }
}
