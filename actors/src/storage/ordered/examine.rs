//! Whether every row can be read, and every index entry points to a row and back.

use super::key::{Key, Parts};
use super::portable::{part_of, row};
use super::value::decode;
use super::{Direction, Read, Table, bookings, businesses, calls, outcomes, owners, recordings, users};
use crate::storage::{Error, Examination, Occupied, Owner, Part, Result, StoredRow};
use crate::types::{BookingId, BookingState, Message, TenantId, User, UserId};

/// Rows read at once.
const PAGE: usize = 1_000;

/// Reads all tables.
pub(super) fn examine(rows: &dyn Read) -> Result<Examination> {
    let mut found = Examination::default();
    for table in Table::ALL {
        let (mut from, mut count) = (Vec::new(), 0_u64);
        let end = Key::new().end();
        loop {
            let page = rows.range(table, &from, &end, Direction::Forwards, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            from = Key::new().bytes(last).next().as_bytes().to_vec();
            for (key, value) in &page {
                count += 1;
                match fault(rows, table, key, value) {
                    Ok(None) => {}
                    Ok(Some(what)) => found.add(table.name(), count, what.to_owned()),
                    Err(error @ Error::Corrupt { .. }) => found.add(table.name(), count, error.to_string()),
                    // The store itself fails: nothing is known of this row.
                    Err(error) => return Err(error),
                }
            }
        }
        found.rows.insert(table.name().to_owned(), count);
    }
    Ok(found)
}

/// What is wrong, if something is.
pub(in crate::storage) type Found = Result<Option<&'static str>>;

/// What is wrong with a row, if something is.
pub(in crate::storage) fn fault(rows: &dyn Read, table: Table, key: &[u8], value: &[u8]) -> Found {
    match (table, part_of(table)) {
        (_, Some((part, true))) => main_row(rows, part, key, value),
        (Table::Numbers, _) => number(rows, key, value),
        (Table::UsersByEmail, _) => email(rows, key, value),
        (Table::CallsById | Table::CallsByCaller | Table::OpenCalls, _) => {
            call_index(rows, table, key, value)
        }
        (Table::BookingsByStart, _) => booking_by_start(rows, key),
        (Table::RecordingsByTenant, _) => {
            Parts::of(key).name()?;
            let id = key.last_chunk::<16>().map_or(&[][..], |id| id);
            first([(rows.get(Table::Recordings, id)?.is_some(), "it leads to no recording")])
        }
        (Table::RecordingsToMerge, _) => {
            first([(rows.get(Table::Recordings, key)?.is_some(), "it leads to no recording")])
        }
        (Table::Occupied, _) => span(rows, key, value),
        (Table::Messages, _) => decode::<Message>(outcomes::MESSAGE, value).map(|_| None),
        (Table::Owners, _) => decode::<Owner>(owners::WHAT, value).map(|_| None),
        _ => Ok(None),
    }
}

/// Finds the first that is not so.
fn first<const CHECKS: usize>(checks: [(bool, &'static str); CHECKS]) -> Found {
    Ok(checks.into_iter().find(|(is_so, _)| !is_so).map(|(_, what)| what))
}

/// A row that is exported: it can be read, lies under its own key, and its indexes know it.
fn main_row(rows: &dyn Read, part: Part, key: &[u8], value: &[u8]) -> Found {
    match row(rows, part, key, value)? {
        StoredRow::Business(business) => {
            let mut has_numbers = true;
            for number in &business.numbers {
                has_numbers &= businesses::owner(rows, number)?.as_ref() == Some(&business.id);
            }
            first([(has_numbers, "one of its numbers does not lead to it")])
        }
        StoredRow::User(user) => stored_user(rows, key, &user),
        StoredRow::Call(record) => {
            let places = calls::places(&record);
            let by_id = rows.get(Table::CallsById, &places.by_id)?;
            let open = rows.get(Table::OpenCalls, &places.by_id)?;
            let by_caller = match &places.by_caller {
                Some(place) => rows.get(Table::CallsByCaller, place)?.as_deref() == Some(key),
                None => true,
            };
            first([
                (places.own == key, "it does not lie in its own place"),
                (by_id.as_deref() == Some(key), "it can't be found by its identity"),
                (by_caller, "it can't be found by its caller"),
                (open.is_some() == record.ended_at.is_none(), "whether it is open is noted wrongly"),
            ])
        }
        StoredRow::Event { event, .. } => {
            let seq = key.last_chunk::<4>().map(|seq| u32::from_be_bytes(*seq));
            first([(seq == Some(event.seq), "it does not lie in its own place")])
        }
        StoredRow::Booking { booking, occupied } => {
            let listed = rows.get(Table::BookingsByStart, &bookings::start_place(&booking))?;
            let stands = booking.state == BookingState::Confirmed;
            first([
                (listed.is_some(), "it is not listed at its time"),
                (occupied.is_some() || !stands, "it stands and its time is not taken"),
                (occupied.is_none() || stands, "it was cancelled and its time is taken"),
            ])
        }
        StoredRow::Message { message, .. } => {
            let listed = rows.get(Table::Messages, outcomes::place_of(&message).as_bytes())?;
            first([(listed.as_deref() == Some(value), "it is not listed as it is")])
        }
        StoredRow::Recording(recording) => {
            let own = Key::new().uuid(recording.id.as_uuid());
            let of_tenant = recordings::tenant_key(&recording.tenant, recording.id);
            let listed = rows.get(Table::RecordingsByTenant, of_tenant.as_bytes())?.is_some();
            let to_merge = rows.get(Table::RecordingsToMerge, own.as_bytes())?.is_some();
            first([
                (own.as_bytes() == key, "it does not lie in its own place"),
                (listed, "its business does not list it"),
                (to_merge == recording.to_merge(), "whether it is to be merged is noted wrongly"),
            ])
        }
        StoredRow::Removal(removal) => {
            let own = Key::new().uuid(removal.recording.as_uuid());
            let gone = rows.get(Table::Recordings, own.as_bytes())?.is_none();
            first([
                (own.as_bytes() == key, "it does not lie in its own place"),
                (gone, "its recording is still there"),
            ])
        }
        StoredRow::Audit { row, .. } => {
            let seq = key.last_chunk::<8>().map(|seq| !u64::from_be_bytes(*seq));
            first([(seq == Some(row.seq), "it does not lie in its own place")])
        }
        StoredRow::Key { .. }
        | StoredRow::Checkpoint { .. }
        | StoredRow::Written { .. }
        | StoredRow::Outcome { .. } => Ok(None),
    }
}

fn number(rows: &dyn Read, key: &[u8], value: &[u8]) -> Found {
    let owner: TenantId = decode("number", value)?;
    let number = Parts::of(key).text()?;
    let business = businesses::get(rows, &owner)?;
    let has = business.is_some_and(|business| business.numbers.iter().any(|own| own.as_str() == number));
    first([(has, "it leads to a business that does not have it")])
}

fn stored_user(rows: &dyn Read, key: &[u8], user: &User) -> Found {
    let own = (user.tenant.clone(), user.id);
    let holder = users::holder(rows, user.email.reveal())?;
    first([
        (users::key(&own.0, own.1).as_bytes() == key, "it does not lie in its own place"),
        (holder.as_ref() == Some(&own), "their e-mail address does not lead to them"),
    ])
}

fn email(rows: &dyn Read, key: &[u8], value: &[u8]) -> Found {
    let (tenant, user): (TenantId, UserId) = decode(users::EMAIL, value)?;
    let email = Parts::of(key).text()?;
    let user = users::get(rows, &tenant, user)?;
    first([(user.is_some_and(|user| user.email.reveal().as_str() == email), "it leads to nobody who has it")])
}

fn call_index(rows: &dyn Read, table: Table, key: &[u8], place: &[u8]) -> Found {
    let Some(record) = calls::at_place(rows, place)? else { return Ok(Some("it leads to no call")) };
    let places = calls::places(&record);
    let own = match table {
        Table::CallsByCaller => places.by_caller.as_deref() == Some(key),
        _ => places.by_id == key,
    };
    first([
        (own, "it leads to another call"),
        (table != Table::OpenCalls || record.ended_at.is_none(), "it leads to a call that has an end"),
    ])
}

fn booking_by_start(rows: &dyn Read, key: &[u8]) -> Found {
    let tenant = Parts::of(key).name()?;
    let id = key.last_chunk::<16>().map(|id| BookingId::new(uuid::Uuid::from_bytes(*id)));
    let Some(id) = id else { return Ok(Some("it names no appointment")) };
    match bookings::get(rows, &tenant, id)? {
        Some(booking) => {
            first([(bookings::start_place(&booking) == key, "it leads to an appointment at another time")])
        }
        None => Ok(Some("it leads to no appointment")),
    }
}

fn span(rows: &dyn Read, key: &[u8], value: &[u8]) -> Found {
    let span: Occupied = decode(bookings::SPAN, value)?;
    let tenant = Parts::of(key).name()?;
    let Some(booking) = bookings::get(rows, &tenant, span.booking)? else {
        return Ok(Some("it is taken by no appointment"));
    };
    let all = bookings::occupied(rows, &tenant, &span.resource, span.from, span.until)?;
    first([
        (bookings::own_span(rows, &booking)?.as_ref() == Some(&span), "its appointment is at another time"),
        (all.len() == 1, "it is taken twice"),
    ])
}
