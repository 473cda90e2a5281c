//! Erasing a caller: a business's tables are gone through in order, a page per step, and what mentions the number
//! goes. Reading holds up nobody; each change is small.

use super::key::Key;
use super::listing::list_partition;
use super::place::Place;
use super::{Ordered, Read, Row, Table, Write, bookings, calls, erase_call};
use crate::storage::mention::mentions;
use crate::storage::{Cursor, Erased, Erasure, Extent, Listing, Page, Result};
use crate::types::{BookingId, CallId, PhoneNumber, TenantId};

/// The tables, in this order: calls take most with them, copies are looked at last.
const PARTS: [Table; 5] =
    [Table::Calls, Table::Bookings, Table::Messages, Table::Written, Table::MessagesByKey];
/// Calls that one step looks at, with their events.
const CALLS_PER_STEP: usize = 32;
/// Other rows that one step looks at.
const ROWS_PER_STEP: usize = 256;

pub(super) async fn step(
    store: &impl Ordered,
    tenant: &TenantId,
    caller: &PhoneNumber,
    after: Option<Cursor>,
) -> Result<Erasure> {
    let place = Place::read(after.as_ref())?;
    let Some(table) = PARTS.get(place.part).copied() else { return Ok(Erasure::default()) };
    let (found, next) = store.read(|rows| find(rows, table, tenant, caller, &place))?;
    let mut erasure = Erasure::default();
    for call in found.calls {
        erasure.add(erase_call::erase(store, call, Extent::Everything).await?);
    }
    if !found.bookings.is_empty() || !found.rows.is_empty() {
        let tenant = tenant.clone();
        let erased =
            store.write(move |rows| remove(rows, &tenant, table, &found.bookings, &found.rows)).await?;
        erasure.erased += erased;
    }
    erasure.next = place.next(next, PARTS.len());
    Ok(erasure)
}

#[derive(Default)]
struct Found {
    calls: Vec<CallId>,
    bookings: Vec<BookingId>,
    /// Keys in the step's table.
    rows: Vec<Vec<u8>>,
}

fn find(
    rows: &dyn Read,
    table: Table,
    tenant: &TenantId,
    caller: &PhoneNumber,
    place: &Place,
) -> Result<(Found, Option<Cursor>)> {
    let limit = if table == Table::Calls { CALLS_PER_STEP } else { ROWS_PER_STEP };
    let page = Page { after: place.inner.clone(), limit };
    let partition = Key::new().text(tenant.as_str());
    let listing: Listing<Row> =
        list_partition(rows, table, &partition, &page, |key, value| Ok((key.to_vec(), value.to_vec())))?;
    let mut found = Found::default();
    for (key, value) in listing.rows {
        match table {
            Table::Calls => {
                let record = calls::read(&value)?;
                let theirs = record
                    .caller
                    .as_ref()
                    .is_some_and(|other| other.reveal().reaches_same_line(caller))
                    || mentions(record.summary.reveal().as_bytes(), caller)
                    || calls::raw_events(rows, record.id)?.iter().any(|(_, event)| mentions(event, caller));
                found.calls.extend(theirs.then_some(record.id));
            }
            Table::Bookings if mentions(&value, caller) => found.bookings.push(bookings::read(&value)?.id),
            // Copies of what is gone go, too.
            Table::Written if mentions(&value, caller) || is_orphan(rows, tenant, &value)? => {
                found.rows.push(key);
            }
            Table::Messages | Table::MessagesByKey if mentions(&value, caller) => found.rows.push(key),
            _ => {}
        }
    }
    Ok((found, listing.next))
}

fn is_orphan(rows: &dyn Read, tenant: &TenantId, written: &[u8]) -> Result<bool> {
    let booking = bookings::read(written)?.id;
    Ok(bookings::get(rows, tenant, booking)?.is_none())
}

fn remove(
    rows: &mut dyn Write,
    tenant: &TenantId,
    table: Table,
    found: &[BookingId],
    keys: &[Vec<u8>],
) -> Result<Erased> {
    let mut erased = Erased::default();
    for booking in found {
        erased.bookings += u64::from(bookings::erase(rows, tenant, *booking)?);
    }
    for key in keys {
        rows.remove(table, key)?;
    }
    let count = keys.len() as u64;
    match table {
        Table::Messages => erased.messages += count,
        _ => erased.outcomes += count,
    }
    Ok(erased)
}
