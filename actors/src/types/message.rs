//! Messages taken for a person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CallId, Contact, MessageId, Private, TenantId};

/// How soon a message wants reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// In its turn.
    #[default]
    Normal,
    /// At once: the caller said so, or the business's rules do.
    Urgent,
}

/// A message for somebody at the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its identity.
    pub id: MessageId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The call that left it.
    pub call: CallId,
    /// The person or department it is for, where the caller named one.
    pub recipient: Option<String>,
    /// Who left it and where to reach them.
    pub from: Contact,
    /// What it says; empty where only the recording has it.
    pub text: Private<String>,
    /// How soon it wants reading.
    pub urgency: Urgency,
    /// When it was left.
    pub taken_at: Timestamp,
}
