//! Appointments and the time they take.

use jiff::Timestamp;

use super::key::Key;
use super::listing;
use super::portable;
use super::value::{decode, encode};
use super::{Direction, Read, Table, Write};
use crate::storage::{BookingWrite, Error, IdempotencyKey, Listing, Occupied, Page, Result};
use crate::types::{Booking, BookingId, BookingState, ResourceId, TenantId};

pub(super) const WHAT: &str = "appointment";
pub(super) const SPAN: &str = "occupied span";

fn key(booking: &Booking) -> Key {
    booking_key(&booking.tenant, booking.id)
}

pub(in crate::storage) fn booking_key(tenant: &TenantId, booking: BookingId) -> Key {
    Key::new().text(tenant.as_str()).uuid(booking.as_uuid())
}

pub(in crate::storage) fn start_key(booking: &Booking) -> Key {
    Key::new().text(booking.tenant.as_str()).time(booking.slot.start).uuid(booking.id.as_uuid())
}

/// Where an appointment is listed.
pub(super) fn start_place(booking: &Booking) -> Vec<u8> {
    start_key(booking).as_bytes().to_vec()
}

pub(in crate::storage) fn resource_partition(tenant: &TenantId, resource: &ResourceId) -> Key {
    Key::new().text(tenant.as_str()).text(resource.as_str())
}

fn span_key(tenant: &TenantId, span: &Occupied) -> Key {
    resource_partition(tenant, &span.resource).time(span.from)
}

pub(in crate::storage) fn written_key(tenant: &TenantId, key: &IdempotencyKey) -> Key {
    Key::new().text(tenant.as_str()).text(&key.0)
}

pub(in crate::storage) fn book(
    rows: &mut dyn Write,
    booking: &Booking,
    occupied: &Occupied,
    idempotency: &IdempotencyKey,
) -> Result<BookingWrite> {
    if let Some(first) = written(rows, &booking.tenant, idempotency)? {
        return Ok(BookingWrite::Written(first));
    }
    check(booking, occupied)?;
    if rows.get(Table::Bookings, key(booking).as_bytes())?.is_some() {
        return Ok(BookingWrite::Stale);
    }
    if !is_free(rows, &booking.tenant, occupied, None)? {
        return Ok(BookingWrite::Taken);
    }
    put(rows, booking, Some(occupied), idempotency)
}

pub(in crate::storage) fn rebook(
    rows: &mut dyn Write,
    booking: &Booking,
    occupied: &Occupied,
    idempotency: &IdempotencyKey,
) -> Result<BookingWrite> {
    if let Some(first) = written(rows, &booking.tenant, idempotency)? {
        return Ok(BookingWrite::Written(first));
    }
    check(booking, occupied)?;
    let Some(before) = standing(rows, booking)? else { return Ok(BookingWrite::Stale) };
    if !is_free(rows, &booking.tenant, occupied, Some(booking.id))? {
        return Ok(BookingWrite::Taken);
    }
    vacate(rows, &before)?;
    put(rows, booking, Some(occupied), idempotency)
}

pub(in crate::storage) fn cancel(
    rows: &mut dyn Write,
    booking: &Booking,
    idempotency: &IdempotencyKey,
) -> Result<BookingWrite> {
    if let Some(first) = written(rows, &booking.tenant, idempotency)? {
        return Ok(BookingWrite::Written(first));
    }
    let Some(before) = standing(rows, booking)? else { return Ok(BookingWrite::Stale) };
    vacate(rows, &before)?;
    put(rows, booking, None, idempotency)
}

/// What no caller may ask for.
fn check(booking: &Booking, occupied: &Occupied) -> Result<()> {
    let sound = occupied.from < occupied.until
        && occupied.booking == booking.id
        && occupied.resource == booking.slot.resource
        && occupied.from <= booking.slot.start
        && booking.slot.end <= occupied.until;
    if sound {
        return Ok(());
    }
    let why = "it must hold its appointment, on the same resource, and end after it begins".to_owned();
    Err(Error::Corrupt { what: SPAN, why })
}

/// The stored appointment, where it stands and is the one that `booking` changes.
fn standing(rows: &dyn Write, booking: &Booking) -> Result<Option<Booking>> {
    let stored: Option<Booking> =
        rows.get(Table::Bookings, key(booking).as_bytes())?.map(|value| decode(WHAT, &value)).transpose()?;
    Ok(stored.filter(|stored| {
        stored.state == BookingState::Confirmed && stored.version.checked_add(1) == Some(booking.version)
    }))
}

fn put(
    rows: &mut dyn Write,
    booking: &Booking,
    occupied: Option<&Occupied>,
    idempotency: &IdempotencyKey,
) -> Result<BookingWrite> {
    let value = encode(WHAT, booking)?;
    put_own(rows, booking, occupied, &value)?;
    put_written(rows, booking, idempotency, &value)?;
    Ok(BookingWrite::Written(booking.clone()))
}

/// The appointment itself, its place in the listing and its time.
fn put_own(rows: &mut dyn Write, booking: &Booking, occupied: Option<&Occupied>, value: &[u8]) -> Result<()> {
    if let Some(span) = occupied {
        rows.put(Table::Occupied, span_key(&booking.tenant, span).as_bytes(), &encode(SPAN, span)?)?;
    }
    rows.put(Table::Bookings, key(booking).as_bytes(), value)?;
    rows.put(Table::BookingsByStart, start_key(booking).as_bytes(), &[])
}

/// The appointment as it was written under a key.
pub(in crate::storage) fn put_written(
    rows: &mut dyn Write,
    booking: &Booking,
    idempotency: &IdempotencyKey,
    value: &[u8],
) -> Result<()> {
    rows.put(Table::Written, written_key(&booking.tenant, idempotency).as_bytes(), value)
}

/// Takes an appointment as it was in another store, with its time where it has some.
pub(in crate::storage) fn import(
    rows: &mut dyn Write,
    booking: &Booking,
    occupied: Option<&Occupied>,
) -> Result<()> {
    if let Some(span) = occupied {
        check(booking, span)?;
    }
    let stored: Option<Booking> =
        rows.get(Table::Bookings, key(booking).as_bytes())?.map(|value| decode(WHAT, &value)).transpose()?;
    if let Some(stored) = stored {
        let is_same = stored == *booking && own_span(rows, booking)?.as_ref() == occupied;
        return portable::same(WHAT, is_same);
    }
    if let Some(span) = occupied {
        portable::same(SPAN, is_free(rows, &booking.tenant, span, None)?)?;
    }
    put_own(rows, booking, occupied, &encode(WHAT, booking)?)
}

/// The time that an appointment takes, where it takes some.
pub(super) fn own_span(rows: &(impl Read + ?Sized), booking: &Booking) -> Result<Option<Occupied>> {
    let slot = &booking.slot;
    let spans = occupied(rows, &booking.tenant, &slot.resource, slot.start, slot.end)?;
    Ok(spans.into_iter().find(|span| span.booking == booking.id))
}

/// Frees an appointment's time and its place in the listing.
fn vacate(rows: &mut dyn Write, before: &Booking) -> Result<()> {
    rows.remove(Table::BookingsByStart, start_key(before).as_bytes())?;
    let (from, until) = (before.slot.start, before.slot.end);
    for span in occupied(rows, &before.tenant, &before.slot.resource, from, until)? {
        if span.booking == before.id {
            rows.remove(Table::Occupied, span_key(&before.tenant, &span).as_bytes())?;
        }
    }
    Ok(())
}

/// Removes an appointment: its time is free. Copies of it under idempotency keys are not looked for. Whether it
/// was there.
pub(in crate::storage) fn erase(rows: &mut dyn Write, tenant: &TenantId, booking: BookingId) -> Result<bool> {
    let Some(booking) = get(rows, tenant, booking)? else { return Ok(false) };
    vacate(rows, &booking)?;
    rows.remove(Table::Bookings, key(&booking).as_bytes())?;
    Ok(true)
}

/// Reads an appointment as it is kept.
pub(super) fn read(value: &[u8]) -> Result<Booking> {
    decode(WHAT, value)
}

fn is_free(
    rows: &dyn Write,
    tenant: &TenantId,
    wanted: &Occupied,
    but_for: Option<BookingId>,
) -> Result<bool> {
    let taken = occupied(rows, tenant, &wanted.resource, wanted.from, wanted.until)?;
    Ok(taken.iter().all(|span| Some(span.booking) == but_for))
}

/// Spans of one resource never overlap: of those that begin before `from`, only the last can reach into it.
pub(in crate::storage) fn occupied(
    rows: &(impl Read + ?Sized),
    tenant: &TenantId,
    resource: &ResourceId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Occupied>> {
    if from >= until {
        return Ok(Vec::new());
    }
    let partition = resource_partition(tenant, resource);
    let start = partition.clone().time(from);
    let end = partition.clone().time(until);
    let before =
        rows.range(Table::Occupied, partition.as_bytes(), start.as_bytes(), Direction::Backwards, 1)?;
    let within =
        rows.range(Table::Occupied, start.as_bytes(), end.as_bytes(), Direction::Forwards, usize::MAX)?;
    let mut spans: Vec<Occupied> = Vec::with_capacity(within.len() + 1);
    for (_, value) in before.into_iter().chain(within) {
        let span: Occupied = decode(SPAN, &value)?;
        if span.from < until && from < span.until {
            spans.push(span);
        }
    }
    Ok(spans)
}

pub(in crate::storage) fn written(
    rows: &(impl Read + ?Sized),
    tenant: &TenantId,
    idempotency: &IdempotencyKey,
) -> Result<Option<Booking>> {
    rows.get(Table::Written, written_key(tenant, idempotency).as_bytes())?
        .map(|value| decode(WHAT, &value))
        .transpose()
}

pub(in crate::storage) fn get(
    rows: &(impl Read + ?Sized),
    tenant: &TenantId,
    booking: BookingId,
) -> Result<Option<Booking>> {
    rows.get(Table::Bookings, booking_key(tenant, booking).as_bytes())?
        .map(|value| decode(WHAT, &value))
        .transpose()
}

pub(super) fn list(
    rows: &dyn Read,
    tenant: &TenantId,
    from: Timestamp,
    until: Timestamp,
    page: &Page,
) -> Result<Listing<Booking>> {
    let partition = Key::new().text(tenant.as_str());
    let (start, end) = (partition.clone().time(from), partition.clone().time(until));
    listing::list(rows, Table::BookingsByStart, &partition, &start, end.as_bytes(), page, |key, _| {
        // The key ends with the appointment's identity.
        let id = key.len().checked_sub(16).and_then(|at| uuid::Uuid::from_slice(key.get(at..)?).ok());
        let booking = match id {
            Some(id) => get(rows, tenant, BookingId::new(id))?,
            None => None,
        };
        booking.ok_or_else(|| Error::Corrupt {
            what: WHAT,
            why: "the list names one that is not there".to_owned(),
        })
    })
}
