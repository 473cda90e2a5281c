//! Rows out of the tables and into them.

use super::key::{Key, Parts};
use super::listing::list_partition;
use super::value::{decode, encode};
use super::{Read, Table, Write, audit, bookings, businesses, calls, outcomes, recordings, users};
use crate::storage::{Error, IdempotencyKey, Listing, Page, Part, Result, StoredRow};
use crate::types::{Booking, CallId};

/// The part that a table's rows belong to, and whether it is the table that they are read from: the others
/// follow from it. Who owns what, and
/// the probe, are this store's own.
pub(super) const fn part_of(table: Table) -> Option<(Part, bool)> {
    match table {
        Table::Businesses => Some((Part::Businesses, true)),
        Table::Numbers => Some((Part::Businesses, false)),
        Table::Calls => Some((Part::Calls, true)),
        Table::CallsById | Table::CallsByCaller | Table::OpenCalls => Some((Part::Calls, false)),
        Table::Events => Some((Part::Events, true)),
        Table::Bookings => Some((Part::Bookings, true)),
        Table::BookingsByStart | Table::Occupied => Some((Part::Bookings, false)),
        Table::Written => Some((Part::Written, true)),
        Table::MessagesByKey => Some((Part::Messages, true)),
        Table::Messages => Some((Part::Messages, false)),
        Table::Outcomes => Some((Part::Outcomes, true)),
        Table::Checkpoints => Some((Part::Checkpoints, true)),
        Table::Recordings => Some((Part::Recordings, true)),
        Table::RecordingsByTenant | Table::RecordingsToMerge => Some((Part::Recordings, false)),
        Table::Removals => Some((Part::Removals, true)),
        Table::Audit => Some((Part::Audit, true)),
        Table::Keys => Some((Part::Keys, true)),
        Table::Owners | Table::Probe => None,
        Table::Users => Some((Part::Users, true)),
        Table::UsersByEmail => Some((Part::Users, false)),
    }
}

/// The table that a part's rows are read from.
fn table_of(part: Part) -> Result<Table> {
    let found = Table::ALL.into_iter().find(|table| part_of(*table) == Some((part, true)));
    found.ok_or_else(|| Error::Corrupt { what: "part", why: format!("{part} has no table") })
}

/// A page of a part's rows.
pub(crate) fn export(rows: &dyn Read, part: Part, page: &Page) -> Result<Listing<StoredRow>> {
    list_partition(rows, table_of(part)?, &Key::new(), page, |key, value| row(rows, part, key, value))
}

/// The row of a part that lies under this key of its table.
pub(in crate::storage) fn row(
    rows: &(impl Read + ?Sized),
    part: Part,
    key: &[u8],
    value: &[u8],
) -> Result<StoredRow> {
    let mut key = Parts::of(key);
    Ok(match part {
        Part::Businesses => StoredRow::Business(decode(businesses::WHAT, value)?),
        Part::Users => StoredRow::User(users::read(value)?),
        Part::Keys => StoredRow::Key { tenant: key.name()?, sealed: value.to_vec() },
        Part::Calls => StoredRow::Call(decode(calls::WHAT, value)?),
        Part::Events => {
            StoredRow::Event { call: CallId::new(key.uuid()?), event: decode(calls::EVENT, value)? }
        }
        Part::Checkpoints => StoredRow::Checkpoint { call: CallId::new(key.uuid()?), state: value.to_vec() },
        Part::Bookings => {
            let booking: Booking = decode(bookings::WHAT, value)?;
            let occupied = bookings::own_span(rows, &booking)?;
            StoredRow::Booking { booking, occupied }
        }
        Part::Written => {
            StoredRow::Written { key: own_key(&mut key)?, booking: decode(bookings::WHAT, value)? }
        }
        Part::Messages => {
            StoredRow::Message { key: own_key(&mut key)?, message: decode(outcomes::MESSAGE, value)? }
        }
        Part::Outcomes => StoredRow::Outcome {
            key: IdempotencyKey(key.text()?),
            outcome: decode(outcomes::OUTCOME, value)?,
        },
        Part::Removals => StoredRow::Removal(decode(recordings::REMOVAL, value)?),
        Part::Audit => StoredRow::Audit { of: key.text()?, row: decode(audit::WHAT, value)? },
        Part::Recordings => StoredRow::Recording(decode(recordings::WHAT, value)?),
    })
}

/// The idempotency key after its business.
fn own_key(key: &mut Parts<'_>) -> Result<IdempotencyKey> {
    key.text()?;
    key.text().map(IdempotencyKey)
}

/// Writes rows, one after the other; one that is there as it is changes nothing. Where one is refused, those
/// before it are written.
pub(super) fn import(rows: &mut dyn Write, new: &[StoredRow]) -> Result<()> {
    new.iter().try_for_each(|row| import_one(rows, row))
}

fn import_one(rows: &mut dyn Write, row: &StoredRow) -> Result<()> {
    match row {
        StoredRow::Business(business) => match businesses::get(rows, &business.id)? {
            Some(stored) => same(businesses::WHAT, stored == *business),
            None => businesses::put(rows, business, None),
        },
        StoredRow::Key { tenant, sealed } => {
            let kept = recordings::keep_key(rows, tenant, sealed.clone())?;
            same("business's key", kept == *sealed)
        }
        StoredRow::User(user) => users::put(rows, user, None),
        StoredRow::Call(record) => match calls::get(rows, record.id)? {
            Some(stored) => same(calls::WHAT, stored == *record),
            None => calls::put(rows, record),
        },
        StoredRow::Event { call, event } => {
            let kept = calls::event(rows, *call, event.seq)?;
            match kept {
                Some(stored) => same(calls::EVENT, stored == *event),
                None => calls::append(rows, *call, std::slice::from_ref(event)),
            }
        }
        StoredRow::Checkpoint { call, state } => match calls::checkpoint(rows, *call)? {
            Some(stored) => same(calls::CHECKPOINT, stored == *state),
            None => calls::keep_checkpoint(rows, *call, state.clone()),
        },
        StoredRow::Booking { booking, occupied } => bookings::import(rows, booking, occupied.as_ref()),
        StoredRow::Written { key, booking } => match bookings::written(rows, &booking.tenant, key)? {
            Some(stored) => same("written appointment", stored == *booking),
            None => bookings::put_written(rows, booking, key, &encode(bookings::WHAT, booking)?),
        },
        StoredRow::Message { key, message } => {
            let kept = outcomes::put_message(rows, message, key)?;
            same(outcomes::MESSAGE, kept == *message)
        }
        StoredRow::Outcome { key, outcome } => {
            let kept = outcomes::remember(rows, key, outcome)?;
            same(outcomes::OUTCOME, kept == *outcome)
        }
        StoredRow::Removal(removal) => recordings::import_removal(rows, removal),
        StoredRow::Audit { of, row } => audit::import(rows, of, row),
        StoredRow::Recording(recording) => match recordings::get(rows, recording.id)? {
            Some(stored) => same(recordings::WHAT, stored == *recording),
            None => recordings::put(rows, recording),
        },
    }
}

/// Another row of the same identity is in the way.
pub(in crate::storage) fn same(what: &'static str, is_same: bool) -> Result<()> {
    if is_same { Ok(()) } else { Err(Error::Conflict { what }) }
}
