//! Everything that a store keeps, row by row, in no backend's own shape: what copies, backups and migrations are
//! made of.

use serde::{Deserialize, Serialize};

use super::{AuditRow, IdempotencyKey, Occupied, Recording, Removal};
use crate::types::{Booking, Business, CallEvent, CallId, CallRecord, Message, TenantId, ToolOutcome, User};

/// The version of the rows' shape, for whoever writes them down. A field that is added with a default does not
/// change it, a kind of row that is added does; whoever reads rows of a higher version refuses them.
pub const ROWS_VERSION: u16 = 2;

/// A kind of row. Together they are everything that a store keeps; what else lies in a backend follows from
/// them, such as its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Businesses, and with them whose each number is.
    Businesses,
    /// Users, and with them whose each e-mail address is.
    Users,
    /// The businesses' sealed keys.
    Keys,
    /// Summary rows of calls, and with them which are open.
    Calls,
    /// Events of calls.
    Events,
    /// Live calls' states.
    Checkpoints,
    /// Appointments and the time that they take.
    Bookings,
    /// Appointments as they were written under their keys.
    Written,
    /// Messages and the keys that they were left under.
    Messages,
    /// What tool calls came to.
    Outcomes,
    /// What is known of recordings.
    Recordings,
    /// Recordings whose objects must go.
    Removals,
    /// Who erased what, and when.
    Audit,
}

impl Part {
    /// All of them, in the order in which they are best imported: what others refer to comes first.
    pub const ALL: [Self; 13] = [
        Self::Businesses,
        Self::Users,
        Self::Keys,
        Self::Calls,
        Self::Events,
        Self::Checkpoints,
        Self::Bookings,
        Self::Written,
        Self::Messages,
        Self::Outcomes,
        Self::Recordings,
        Self::Removals,
        Self::Audit,
    ];

    /// Its name, as it is shown and serialised.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Businesses => "businesses",
            Self::Users => "users",
            Self::Keys => "keys",
            Self::Calls => "calls",
            Self::Events => "events",
            Self::Checkpoints => "checkpoints",
            Self::Bookings => "bookings",
            Self::Written => "written",
            Self::Messages => "messages",
            Self::Outcomes => "outcomes",
            Self::Recordings => "recordings",
            Self::Removals => "removals",
            Self::Audit => "audit",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One row of a store, with all that it takes to write it into another.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "pages of them are short-lived")]
pub enum StoredRow {
    /// A business.
    Business(Business),
    /// A user.
    User(User),
    /// A business's sealed key.
    Key {
        /// Whose.
        tenant: TenantId,
        /// The key, sealed with the node's master key.
        sealed: Vec<u8>,
    },
    /// A call's summary row; it is open where it has no end.
    Call(CallRecord),
    /// An event of a call.
    Event {
        /// Which call.
        call: CallId,
        /// The event.
        event: CallEvent,
    },
    /// A live call's state.
    Checkpoint {
        /// Which call.
        call: CallId,
        /// The state, its bytes versioned by their writer.
        state: Vec<u8>,
    },
    /// An appointment.
    Booking {
        /// The appointment.
        booking: Booking,
        /// The time that it takes; none where it was cancelled.
        occupied: Option<Occupied>,
    },
    /// An appointment as it was written under a key.
    Written {
        /// The key, its business's own.
        key: IdempotencyKey,
        /// What was written.
        booking: Booking,
    },
    /// A message.
    Message {
        /// The key that it was left under, its business's own.
        key: IdempotencyKey,
        /// The message.
        message: Message,
    },
    /// What a tool call came to.
    Outcome {
        /// The tool call's key.
        key: IdempotencyKey,
        /// What it came to.
        outcome: ToolOutcome,
    },
    /// What is known of a recording.
    Recording(Recording),
    /// A recording whose objects must go.
    Removal(Removal),
    /// A row of a business's audit.
    Audit {
        /// Whose, by [`super::audit_key`].
        of: String,
        /// The row.
        row: AuditRow,
    },
}

impl StoredRow {
    /// Which part it belongs to.
    #[must_use]
    pub const fn part(&self) -> Part {
        match self {
            Self::Business(_) => Part::Businesses,
            Self::User(_) => Part::Users,
            Self::Key { .. } => Part::Keys,
            Self::Call(_) => Part::Calls,
            Self::Event { .. } => Part::Events,
            Self::Checkpoint { .. } => Part::Checkpoints,
            Self::Booking { .. } => Part::Bookings,
            Self::Written { .. } => Part::Written,
            Self::Message { .. } => Part::Messages,
            Self::Outcome { .. } => Part::Outcomes,
            Self::Recording(_) => Part::Recordings,
            Self::Removal(_) => Part::Removals,
            Self::Audit { .. } => Part::Audit,
        }
    }
}

/// Says the kind only: a row is full of personal data.
impl std::fmt::Debug for StoredRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "StoredRow({})", self.part())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_named_as_it_is_serialised_and_listed_once() {
        let names: Vec<String> =
            Part::ALL.iter().map(|part| serde_json::to_string(part).expect("small")).collect();
        let expected: Vec<String> = Part::ALL.iter().map(|part| format!("\"{part}\"")).collect();
        assert_eq!(names, expected);
        let once: std::collections::BTreeSet<Part> = Part::ALL.into();
        assert_eq!(once.len(), Part::ALL.len());
    }

    #[test]
    fn a_row_shows_its_kind_and_nothing_of_its_content() {
        let row = StoredRow::Key { tenant: TenantId::new("barbers"), sealed: vec![7; 3] };
        assert_eq!(format!("{row:?}"), "StoredRow(keys)");
        let bytes = serde_json::to_vec(&row).expect("small");
        assert_eq!(serde_json::from_slice::<StoredRow>(&bytes).expect("readable"), row);
    }
}
