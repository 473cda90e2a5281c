//! People who sign in for a business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EmailAddress, Private, TenantId, UserId};

/// What a user may do. Each may do what those after it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, the end of the contract included.
    Owner,
    /// Other users, and how the business is connected.
    Admin,
    /// What callers are told and offered.
    Manager,
    /// Calls, appointments and messages.
    Agent,
    /// Nothing but look.
    Viewer,
}

impl Role {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Manager, Self::Agent, Self::Viewer];

    /// Its name, as it is shown and serialised.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }
}

/// Somebody who signs in for a business, known by an e-mail address that nobody else has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their identity.
    pub id: UserId,
    /// For which business.
    pub tenant: TenantId,
    /// Raised with every change.
    pub version: u64,
    /// Their address.
    pub email: Private<EmailAddress>,
    /// What they are called.
    pub name: Private<String>,
    /// What they may do.
    pub role: Role,
    /// When they were taken in.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_as_it_is_serialised() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_string(&role).expect("small"), format!("\"{}\"", role.name()));
        }
        assert!(Role::ALL.is_sorted());
    }
}
