//! Appointments in a business's own calendar.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BookingId, CallId, PhoneNumber, Private, ResourceId, ServiceId, TenantId};

/// A person as far as a call learned about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Contact {
    /// What they call themselves.
    pub name: Option<Private<String>>,
    /// Where to reach them.
    pub number: Option<Private<PhoneNumber>>,
}

/// A free place in the calendar, as offered to a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The service.
    pub service: ServiceId,
    /// Who or what gives it.
    pub resource: ResourceId,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends, without the buffer after it.
    pub end: Timestamp,
}

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its identity.
    pub id: BookingId,
    /// Whose calendar it stands in.
    pub tenant: TenantId,
    /// What, with whom, and when.
    pub slot: Slot,
    /// For whom.
    pub contact: Contact,
    /// The call that made it.
    pub call: CallId,
    /// Whether it stands.
    pub state: BookingState,
    /// Raised by each change; a change names the version that it changes.
    pub version: u64,
    /// When it was made.
    pub made_at: Timestamp,
}

/// Whether an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingState {
    /// It stands.
    Confirmed,
    /// It was cancelled; its time is free again.
    Cancelled,
}
