//! Messages for people, kept in the store.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Error, Integration, Kind, Request};
use crate::storage::{self, Storage};
use crate::types::{Message, MessageId, ToolCall, ToolOutcome};

/// Keeps messages. Telling the person about one is not its work.
pub struct Messages {
    storage: Arc<dyn Storage>,
}

impl Messages {
    /// Keeps them in this store.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Messages")
    }
}

#[async_trait]
impl Integration for Messages {
    fn kind(&self) -> Kind {
        Kind::Messages
    }

    async fn call(&self, request: &Request) -> Result<ToolOutcome, Error> {
        let ToolCall::TakeMessage { recipient, from, text, urgency } = &request.asked else {
            let why = format!("messages can't {}", request.asked.name());
            return Ok(ToolOutcome::Failed { why });
        };
        let message = Message {
            id: MessageId::new(request.new_id),
            tenant: request.business.id.clone(),
            call: request.call,
            recipient: recipient.clone(),
            from: from.clone(),
            text: text.clone(),
            urgency: *urgency,
            taken_at: request.now,
        };
        let kept = self.storage.put_message(&message, &request.key).await?;
        Ok(ToolOutcome::from(&kept))
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Unknown { .. } => Self::Unclear { why: error.to_string() },
            storage::Error::Conflict { .. }
            | storage::Error::Unavailable { .. }
            | storage::Error::Corrupt { .. } => Self::NotDone { why: error.to_string() },
        }
    }
}
