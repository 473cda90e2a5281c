//! Users, and whose each e-mail address is.

use async_trait::async_trait;

use super::key::Key;
use super::listing::list_partition;
use super::value::{decode, encode};
use super::{Direction, Ordered, Read, Table, Write};
use crate::storage::{Error, Listing, Page, Result, Users};
use crate::types::{EmailAddress, Private, TenantId, User, UserId};

pub(super) const WHAT: &str = "user";
pub(super) const EMAIL: &str = "e-mail address";

/// Who has an address.
type Holder = (TenantId, UserId);

pub(super) fn key(tenant: &TenantId, user: UserId) -> Key {
    Key::new().text(tenant.as_str()).uuid(user.as_uuid())
}

fn email_key(email: &EmailAddress) -> Key {
    Key::new().text(email.as_str())
}

#[async_trait]
impl<O: Ordered> Users for O {
    async fn create_user(&self, user: &User) -> Result<()> {
        let user = user.clone();
        self.write(move |rows| put(rows, &user, None)).await
    }

    async fn change_user(&self, user: &User, expected: u64) -> Result<()> {
        let user = user.clone();
        self.write(move |rows| put(rows, &user, Some(expected))).await
    }

    async fn user(&self, tenant: &TenantId, user: UserId) -> Result<Option<User>> {
        self.read(|rows| get(rows, tenant, user))
    }

    async fn user_by_email(&self, email: &Private<EmailAddress>) -> Result<Option<User>> {
        self.read(|rows| match holder(rows, email.reveal())? {
            Some((tenant, user)) => get(rows, &tenant, user),
            None => Ok(None),
        })
    }

    async fn users(&self, tenant: &TenantId, page: Page) -> Result<Listing<User>> {
        let partition = Key::new().text(tenant.as_str());
        self.read(|rows| list_partition(rows, Table::Users, &partition, &page, |_, value| read(value)))
    }

    async fn delete_user(&self, tenant: &TenantId, user: UserId) -> Result<bool> {
        let tenant = tenant.clone();
        self.write(move |rows| match get(rows, &tenant, user)? {
            Some(user) => remove(rows, &user).map(|()| true),
            None => Ok(false),
        })
        .await
    }
}

pub(super) fn put(rows: &mut dyn Write, user: &User, expected: Option<u64>) -> Result<()> {
    let stored = get(rows, &user.tenant, user.id)?;
    if stored.as_ref() == Some(user) {
        return Ok(());
    }
    if stored.as_ref().map(|stored| stored.version) != expected {
        return Err(Error::Conflict { what: WHAT });
    }
    let (email, own) = (user.email.reveal(), (user.tenant.clone(), user.id));
    if holder(rows, email)?.is_some_and(|holder| holder != own) {
        return Err(Error::Conflict { what: EMAIL });
    }
    let (value, own) = (encode(WHAT, user)?, encode(EMAIL, &own)?);
    if let Some(before) = stored {
        rows.remove(Table::UsersByEmail, email_key(before.email.reveal()).as_bytes())?;
    }
    rows.put(Table::UsersByEmail, email_key(email).as_bytes(), &own)?;
    rows.put(Table::Users, key(&user.tenant, user.id).as_bytes(), &value)
}

fn remove(rows: &mut dyn Write, user: &User) -> Result<()> {
    rows.remove(Table::UsersByEmail, email_key(user.email.reveal()).as_bytes())?;
    rows.remove(Table::Users, key(&user.tenant, user.id).as_bytes())
}

/// Removes users of a business: how many, and whether there may be more.
pub(super) fn clear(rows: &mut dyn Write, tenant: &TenantId, most: usize) -> Result<(u64, bool)> {
    let partition = Key::new().text(tenant.as_str());
    let found =
        rows.range(Table::Users, partition.as_bytes(), &partition.end(), Direction::Forwards, most)?;
    for (_, value) in &found {
        remove(rows, &read(value)?)?;
    }
    Ok((found.len() as u64, found.len() == most))
}

/// Reads a user as they are kept.
pub(super) fn read(value: &[u8]) -> Result<User> {
    decode(WHAT, value)
}

pub(super) fn get(rows: &(impl Read + ?Sized), tenant: &TenantId, user: UserId) -> Result<Option<User>> {
    rows.get(Table::Users, key(tenant, user).as_bytes())?.map(|value| read(&value)).transpose()
}

pub(super) fn holder(rows: &(impl Read + ?Sized), email: &EmailAddress) -> Result<Option<Holder>> {
    rows.get(Table::UsersByEmail, email_key(email).as_bytes())?.map(|value| decode(EMAIL, &value)).transpose()
}
