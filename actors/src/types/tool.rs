//! What a conversation may ask the outside world to do, and what comes back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Booking, BookingId, Contact, Message, MessageId, PhoneNumber, Private, ResourceId, ServiceId, Slot,
    Urgency,
};

/// The number of a tool call within its call, counted from 0. With the call's id it is the idempotency key
/// `call_id/step`: the same step asked twice happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct ToolStep(pub u32);

/// A span of time to look for free places in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The earliest start.
    pub from: Timestamp,
    /// No start at or after this.
    pub until: Timestamp,
}

/// A request to the outside world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tool", rename_all = "snake_case")]
pub enum ToolCall {
    /// Free places for a service.
    FindSlots {
        /// The service.
        service: ServiceId,
        /// Only with this one, where the caller asked for somebody.
        resource: Option<ResourceId>,
        /// Where to look.
        window: Window,
        /// At most so many, earliest first.
        limit: u32,
    },
    /// Makes an appointment.
    Book {
        /// What, with whom, and when.
        slot: Slot,
        /// For whom.
        contact: Contact,
    },
    /// The caller's coming appointments.
    FindBookings {
        /// By number (see [`PhoneNumber::reaches_same_line`]).
        number: Option<Private<PhoneNumber>>,
        /// By name, compared without case.
        name: Option<Private<String>>,
    },
    /// Moves an appointment, or leaves it as it is.
    Move {
        /// Which.
        booking: BookingId,
        /// To where.
        to: Slot,
    },
    /// Cancels an appointment.
    Cancel {
        /// Which.
        booking: BookingId,
    },
    /// Keeps a message for a person.
    TakeMessage {
        /// For whom, where the caller named somebody.
        recipient: Option<String>,
        /// From whom.
        from: Contact,
        /// What it says.
        text: Private<String>,
        /// How soon it wants reading.
        urgency: Urgency,
    },
}

/// What became of a [`ToolCall`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ToolOutcome {
    /// The free places, earliest first; empty where there are none.
    Slots {
        /// The places.
        slots: Vec<Slot>,
    },
    /// The appointment stands in the calendar, acknowledged by its store.
    Booked {
        /// The appointment.
        booking: Booking,
    },
    /// The place went to somebody else in the meantime.
    SlotTaken {
        /// The nearest free places.
        alternatives: Vec<Slot>,
    },
    /// The caller's appointments, earliest first.
    Bookings {
        /// The appointments.
        bookings: Vec<Booking>,
    },
    /// The appointment was moved.
    Moved {
        /// As it stands now.
        booking: Booking,
    },
    /// The appointment was cancelled.
    Cancelled {
        /// As it was.
        booking: Booking,
    },
    /// The message is kept.
    MessageTaken {
        /// Which.
        message: MessageId,
    },
    /// There is no such appointment, or it was cancelled before.
    NotFound,
    /// The request breaks a rule of the business, such as its opening hours; nothing was done.
    Refused {
        /// Which rule, in words fit for the caller.
        why: String,
    },
    /// Nothing was done, and trying again won't help now.
    Failed {
        /// The reason, without personal data.
        why: String,
    },
    /// It may or may not have been done. The caller is told "requested", never "booked".
    Unknown {
        /// The reason, without personal data.
        why: String,
    },
}

impl ToolCall {
    /// The tool's name, as in records and metric labels.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FindSlots { .. } => "find_slots",
            Self::Book { .. } => "book",
            Self::FindBookings { .. } => "find_bookings",
            Self::Move { .. } => "move",
            Self::Cancel { .. } => "cancel",
            Self::TakeMessage { .. } => "take_message",
        }
    }
}

impl ToolOutcome {
    /// The outcome's name, as in records and metric labels.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Slots { .. } => "slots",
            Self::Booked { .. } => "booked",
            Self::SlotTaken { .. } => "slot_taken",
            Self::Bookings { .. } => "bookings",
            Self::Moved { .. } => "moved",
            Self::Cancelled { .. } => "cancelled",
            Self::MessageTaken { .. } => "message_taken",
            Self::NotFound => "not_found",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl From<&Message> for ToolOutcome {
    fn from(message: &Message) -> Self {
        Self::MessageTaken { message: message.id }
    }
}
