//! Erasing a business: what lets calls in, what opens recordings, its calls, and then whatever is in its
//! partitions.

use super::key::Key;
use super::listing::list_partition;
use super::place::Place;
use super::{Direction, Ordered, Read, Table, Write, businesses, calls, erase_call, recordings, users};
use crate::storage::{Cursor, Erased, Erasure, Extent, Page, Result};
use crate::types::{RecordingId, TenantId};

/// Tables whose rows of a business need no second look, after the four parts that do.
const PARTITIONS: [Table; 6] = [
    Table::Bookings,
    Table::BookingsByStart,
    Table::Occupied,
    Table::Written,
    Table::Messages,
    Table::MessagesByKey,
];
const BUSINESS: usize = 0;
const CALLS: usize = 1;
const RECORDINGS: usize = 2;
const USERS: usize = 3;
const FIRST_PARTITION: usize = 4;
/// Calls that one step erases.
const CALLS_PER_STEP: usize = 16;
/// Other rows that one step erases.
const ROWS_PER_STEP: usize = 256;

pub(super) async fn step(store: &impl Ordered, tenant: &TenantId, after: Option<Cursor>) -> Result<Erasure> {
    let place = Place::read(after.as_ref())?;
    let owner = tenant.clone();
    let mut erasure = Erasure::default();
    let inner = match place.part {
        BUSINESS => {
            erasure.erased = store.write(move |rows| close(rows, &owner)).await?;
            None
        }
        CALLS => {
            let page = Page { after: place.inner.clone(), limit: CALLS_PER_STEP };
            let listing = store.read(|rows| calls::list(rows, tenant, &page))?;
            for record in listing.rows {
                erasure.add(erase_call::erase(store, record.id, Extent::Everything).await?);
            }
            listing.next
        }
        RECORDINGS => {
            let page = Page { after: place.inner.clone(), limit: ROWS_PER_STEP };
            let (found, next) = store.read(|rows| left_recordings(rows, tenant, &page))?;
            erasure.erased.recordings = store.write(move |rows| erase_recordings(rows, &found)).await?;
            next
        }
        USERS => {
            let (count, more) = store.write(move |rows| users::clear(rows, &owner, ROWS_PER_STEP)).await?;
            erasure.erased.users = count;
            more.then(|| Cursor(String::new()))
        }
        part => match part.checked_sub(FIRST_PARTITION).and_then(|at| PARTITIONS.get(at)).copied() {
            Some(table) => {
                let (erased, more) = store.write(move |rows| clear(rows, table, &owner)).await?;
                erasure.erased = erased;
                // What was there is gone: the next step starts at the beginning again.
                more.then(|| Cursor(String::new()))
            }
            None => None,
        },
    };
    erasure.next = place.next(inner, FIRST_PARTITION + PARTITIONS.len());
    Ok(erasure)
}

fn close(rows: &mut dyn Write, tenant: &TenantId) -> Result<Erased> {
    let businesses = u64::from(businesses::erase(rows, tenant)?);
    let keys = u64::from(recordings::drop_key(rows, tenant)?);
    Ok(Erased { businesses, keys, ..Erased::default() })
}

/// Recordings that no record names, such as those of calls that died early.
fn left_recordings(
    rows: &dyn Read,
    tenant: &TenantId,
    page: &Page,
) -> Result<(Vec<RecordingId>, Option<Cursor>)> {
    let partition = Key::new().text(tenant.as_str());
    let listing = list_partition(rows, Table::RecordingsByTenant, &partition, page, |key, _| {
        let id = key.len().checked_sub(16).and_then(|at| uuid::Uuid::from_slice(key.get(at..)?).ok());
        Ok(RecordingId::new(id.unwrap_or_default()))
    })?;
    let mut found = Vec::new();
    for id in listing.rows {
        let live = match recordings::get(rows, id)? {
            Some(row) => calls::get(rows, row.call)?.is_some_and(|record| record.ended_at.is_none()),
            None => false,
        };
        found.extend((!live).then_some(id));
    }
    Ok((found, listing.next))
}

fn erase_recordings(rows: &mut dyn Write, found: &[RecordingId]) -> Result<u64> {
    let mut count = 0;
    for recording in found {
        count += u64::from(recordings::erase(rows, *recording)?);
    }
    Ok(count)
}

/// Removes rows of a business's partition, and whether there may be more.
fn clear(rows: &mut dyn Write, table: Table, tenant: &TenantId) -> Result<(Erased, bool)> {
    let partition = Key::new().text(tenant.as_str());
    let found =
        rows.range(table, partition.as_bytes(), &partition.end(), Direction::Forwards, ROWS_PER_STEP)?;
    for (key, _) in &found {
        rows.remove(table, key)?;
    }
    let (count, mut erased) = (found.len() as u64, Erased::default());
    match table {
        Table::Bookings => erased.bookings = count,
        Table::Messages => erased.messages = count,
        Table::Written => erased.outcomes = count,
        _ => {}
    }
    Ok((erased, found.len() == ROWS_PER_STEP))
}
