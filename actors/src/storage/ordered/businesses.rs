//! Businesses, and whose each number is.

use super::key::Key;
use super::listing::list_partition;
use super::value::{decode, encode};
use super::{Read, Table, Write};
use crate::storage::{Error, Listing, Page, Result};
use crate::types::{Business, PhoneNumber, TenantId};

pub(super) const WHAT: &str = "business";

fn key(tenant: &TenantId) -> Key {
    Key::new().text(tenant.as_str())
}

fn number_key(number: &PhoneNumber) -> Key {
    Key::new().text(number.as_str())
}

pub(super) fn put(rows: &mut dyn Write, business: &Business, expected: Option<u64>) -> Result<()> {
    let stored = get(rows, &business.id)?;
    if stored.as_ref().map(|stored| stored.version) != expected {
        return Err(Error::Conflict { what: WHAT });
    }
    for number in &business.numbers {
        if owner(rows, number)?.is_some_and(|owner| owner != business.id) {
            return Err(Error::Conflict { what: "number" });
        }
    }
    let value = encode(WHAT, business)?;
    let tenant = encode("number", &business.id)?;
    for number in stored.iter().flat_map(|stored| &stored.numbers) {
        rows.remove(Table::Numbers, number_key(number).as_bytes())?;
    }
    for number in &business.numbers {
        rows.put(Table::Numbers, number_key(number).as_bytes(), &tenant)?;
    }
    rows.put(Table::Businesses, key(&business.id).as_bytes(), &value)
}

pub(super) fn get(rows: &(impl Read + ?Sized), tenant: &TenantId) -> Result<Option<Business>> {
    rows.get(Table::Businesses, key(tenant).as_bytes())?.map(|value| decode(WHAT, &value)).transpose()
}

pub(super) fn owner(rows: &(impl Read + ?Sized), number: &PhoneNumber) -> Result<Option<TenantId>> {
    rows.get(Table::Numbers, number_key(number).as_bytes())?.map(|value| decode("number", &value)).transpose()
}

/// Removes a business and gives up its numbers. Whether it was there.
pub(super) fn erase(rows: &mut dyn Write, tenant: &TenantId) -> Result<bool> {
    let Some(business) = get(rows, tenant)? else { return Ok(false) };
    for number in &business.numbers {
        rows.remove(Table::Numbers, number_key(number).as_bytes())?;
    }
    rows.remove(Table::Businesses, key(tenant).as_bytes())?;
    Ok(true)
}

pub(super) fn list(rows: &dyn Read, page: &Page) -> Result<Listing<Business>> {
    list_partition(rows, Table::Businesses, &Key::new(), page, |_, value| decode(WHAT, value))
}
