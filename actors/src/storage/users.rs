//! The people who sign in: the part of the store's interface that keeps them.

use async_trait::async_trait;

use super::{Listing, Page, Result};
use crate::types::{EmailAddress, Private, TenantId, User, UserId};

/// A store of users. An e-mail address is one user's, of all businesses together: it is neither lost nor given
/// twice, whatever stops when, and free again once nobody has it.
#[async_trait]
pub trait Users: Send + Sync {
    /// Keeps a user who is not there yet. One who is there as they are changes nothing; where somebody else has
    /// their identity it is a [`super::Error::Conflict`] of "user", where somebody has their address one of
    /// "e-mail address". While a change that names an address is under way, or was cut short a moment ago, that
    /// address counts as somebody's.
    async fn create_user(&self, user: &User) -> Result<()>;
    /// Writes a user in the place of the one whose stored version is `expected`; another version, or none, is a
    /// [`super::Error::Conflict`] of "user". A new address is theirs before the old one is free; where somebody has
    /// it, as in [`Self::create_user`], nothing is changed. One who is there as they are changes nothing.
    async fn change_user(&self, user: &User, expected: u64) -> Result<()>;
    /// Reads a user.
    async fn user(&self, tenant: &TenantId, user: UserId) -> Result<Option<User>>;
    /// The user who has this address.
    async fn user_by_email(&self, email: &Private<EmailAddress>) -> Result<Option<User>>;
    /// A business's users, by identity.
    async fn users(&self, tenant: &TenantId, page: Page) -> Result<Listing<User>>;
    /// Removes a user; their address is free. Whether there was one.
    async fn delete_user(&self, tenant: &TenantId, user: UserId) -> Result<bool>;
}
