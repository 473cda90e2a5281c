//! What an integration is asked and what it answers.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::storage::IdempotencyKey;
use crate::types::{Business, CallId, ToolCall, ToolOutcome};

/// Which integration serves a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The business's own calendar.
    Calendar,
    /// Messages for people.
    Messages,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Calendar, Self::Messages];

    /// The one that serves this call.
    #[must_use]
    pub const fn of(call: &ToolCall) -> Self {
        match call {
            ToolCall::FindSlots { .. }
            | ToolCall::Book { .. }
            | ToolCall::FindBookings { .. }
            | ToolCall::Move { .. }
            | ToolCall::Cancel { .. } => Self::Calendar,
            ToolCall::TakeMessage { .. } => Self::Messages,
        }
    }

    /// Its name in logs and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Messages => "messages",
        }
    }
}

/// One request; the same at each try.
#[derive(Debug, Clone)]
pub struct Request {
    /// The business, as pinned to the call.
    pub business: Arc<Business>,
    /// The call that asks.
    pub call: CallId,
    /// `call_id/step`.
    pub key: IdempotencyKey,
    /// When it was asked.
    pub now: Timestamp,
    /// The identity of what it makes, if it makes something.
    pub new_id: Uuid,
    /// What is asked.
    pub asked: ToolCall,
}

/// Why a try brought no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was done.
    #[error("nothing was done: {why}")]
    NotDone {
        /// Why, without personal data.
        why: String,
    },
    /// It may or may not have been done.
    #[error("it may have been done: {why}")]
    Unclear {
        /// Why, without personal data.
        why: String,
    },
}

/// Something a receptionist can do.
#[async_trait]
pub trait Integration: Send + Sync + 'static {
    /// Which it is.
    fn kind(&self) -> Kind;

    /// Tries once. Called again with the same request where the outcome is an [`Error`]: what was done under the
    /// key is then not done again but reported.
    ///
    /// # Errors
    /// [`Error::NotDone`] where a later try may do it; [`Error::Unclear`] where nobody knows.
    async fn call(&self, request: &Request) -> Result<ToolOutcome, Error>;
}

/// Whether a call changes nothing, so that one without an answer has surely done nothing.
pub(crate) const fn only_reads(call: &ToolCall) -> bool {
    matches!(call, ToolCall::FindSlots { .. } | ToolCall::FindBookings { .. })
}
