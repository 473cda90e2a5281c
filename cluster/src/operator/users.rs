//! Who signs in for a business.

use actors::chance::Chance;
use actors::storage::{Error as StorageError, Page};
use actors::types::{EmailAddress, Private, Role, TenantId, User, UserId};

use super::execute::{Desk, Result, business, failed, rows};
use super::{Answer, Failure};
use crate::clock;

/// Takes somebody in.
pub(super) async fn add(
    desk: &Desk,
    tenant: Option<TenantId>,
    email: &Private<String>,
    name: Private<String>,
    role: Role,
) -> Result<Answer> {
    let (business, email, now) = (business(desk, tenant).await?, address(email)?, clock::now());
    let id = UserId::new(Chance::system().id(now));
    let user = User { id, tenant: business.id, version: 1, email, name, role, created_at: now };
    match desk.storage.create_user(&user).await {
        Ok(()) => Ok(Answer::User(Box::new(user))),
        Err(StorageError::Conflict { .. }) => {
            let why =
                "somebody has this e-mail address already, here or at another business; remove them first";
            Err(Failure::Refused { why: why.to_owned() })
        }
        Err(error) => Err(failed(error)),
    }
}

/// A business's users.
pub(super) async fn list(desk: &Desk, tenant: Option<TenantId>, page: Page) -> Result<Answer> {
    let business = business(desk, tenant).await?;
    let listing = desk.storage.users(&business.id, page).await.map_err(failed)?;
    Ok(Answer::Users(rows(listing, &business.time_zone)))
}

/// Removes a business's user.
pub(super) async fn remove(desk: &Desk, tenant: Option<TenantId>, email: &Private<String>) -> Result<Answer> {
    let (business, email) = (business(desk, tenant).await?, address(email)?);
    let none = || Failure::NotFound { what: format!("user of {} with this e-mail address", business.id) };
    let user = desk.storage.user_by_email(&email).await.map_err(failed)?;
    let user = user.filter(|user| user.tenant == business.id).ok_or_else(none)?;
    match desk.storage.delete_user(&user.tenant, user.id).await.map_err(failed)? {
        true => Ok(Answer::User(Box::new(user))),
        false => Err(none()),
    }
}

fn address(text: &Private<String>) -> Result<Private<EmailAddress>> {
    let why = || "this is no e-mail address; write one such as ada@example.com".to_owned();
    let read = EmailAddress::parse(text.reveal()).map(Private::new);
    read.ok_or_else(|| Failure::Refused { why: why() })
}
