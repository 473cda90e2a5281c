//! Identifiers. Each is its own type, so that a tenant's can't be passed for a call's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a name: lower-case letters, digits and dashes by convention; not checked here.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

macro_rules! time_ordered_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Wraps a UUID. New ones are version 7 (RFC 9562), made by the shell, so that they sort by time.
            #[must_use]
            pub const fn new(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID.
            #[must_use]
            pub const fn as_uuid(&self) -> uuid::Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

name_id!(
    /// A business that Strowger answers for.
    TenantId
);
name_id!(
    /// A service that a business offers, unique within the business.
    ServiceId
);
name_id!(
    /// A member of staff or a room that a service needs, unique within the business.
    ResourceId
);
name_id!(
    /// A language by its BCP 47 tag, such as `en-GB`.
    Language
);
time_ordered_id!(
    /// One call, from its INVITE to its record.
    CallId
);
time_ordered_id!(
    /// One appointment.
    BookingId
);
time_ordered_id!(
    /// One message taken for a person.
    MessageId
);
time_ordered_id!(
    /// One recording.
    RecordingId
);
time_ordered_id!(
    /// One user.
    UserId
);
