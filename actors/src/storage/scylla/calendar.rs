//! Appointments. All of a business's calendar is one partition with one version: whoever changes it compares the
//! version and writes the appointment, its span, its place in the listing and its key in one conditional batch.
//! So no time is given twice, whatever its ends, over midnight too, and an act happens whole or not at all.
//!
//! What is read for a decision is read from a majority after a read of the version that finishes all that is
//! under way (SERIAL); what changes in between makes the comparison fail. A batch whose outcome is unknown is
//! decided anew: if it was carried out, its key is found.

use jiff::Timestamp;
use metrics::counter;
use scylla::value::CqlValue;

use super::Scylla;
use super::ask::{Tried, Values};
use super::cql::{Statement, Use};
use super::failure::Failure;
use super::listing::{self, Looked, Start, for_each};
use super::metrics::CONTENTION;
use super::overlay::{Found, Overlay, Want};
use crate::storage::ordered::{Key, Read as _, Row, Table, bookings, decode};
use crate::storage::{BookingWrite, IdempotencyKey, Listing, Occupied, Page, Result};
use crate::types::{Booking, BookingId, ResourceId, TenantId};

pub(super) const WHAT: &str = "appointment";
/// The calendar's name; a business has one.
pub(super) const MAIN: &str = "main";

/// A table's rows among those of a calendar.
pub(super) const fn kind_of(table: Table) -> Option<i8> {
    match table {
        Table::Bookings => Some(1),
        Table::BookingsByStart => Some(2),
        Table::Occupied => Some(3),
        Table::Written => Some(4),
        _ => None,
    }
}

fn kind(table: Table) -> Tried<i8> {
    kind_of(table).ok_or_else(|| Failure::refused("a calendar has no such rows"))
}

impl Scylla {
    pub(super) async fn book_row(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        let wants = bookings_wants(booking, Some(occupied), key);
        self.decide(&booking.tenant, wants, |rows| bookings::book(rows, booking, occupied, key)).await
    }

    pub(super) async fn rebook_row(
        &self,
        booking: &Booking,
        occupied: &Occupied,
        key: &IdempotencyKey,
    ) -> Result<BookingWrite> {
        let wants = bookings_wants(booking, Some(occupied), key);
        self.decide(&booking.tenant, wants, |rows| bookings::rebook(rows, booking, occupied, key)).await
    }

    pub(super) async fn cancel_row(&self, booking: &Booking, key: &IdempotencyKey) -> Result<BookingWrite> {
        let wants = bookings_wants(booking, None, key);
        self.decide(&booking.tenant, wants, |rows| bookings::cancel(rows, booking, key)).await
    }

    /// Decides on fetched rows and writes what was decided, if nothing has changed since. `wants`: what is surely
    /// read, fetched at once.
    pub(super) async fn decide<T: Send>(
        &self,
        tenant: &TenantId,
        wants: Vec<Want>,
        act: impl Fn(&mut Overlay) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let _turn = self.turn(tenant.as_str()).await?;
        let (act, wants) = (&act, &wants);
        self.cluster.patiently(Use::Compare, || self.try_decide(tenant, wants, act)).await
    }

    async fn try_decide<T: Send>(
        &self,
        tenant: &TenantId,
        wants: &[Want],
        act: &(impl Fn(&mut Overlay) -> Result<T> + Send + Sync),
    ) -> Tried<T> {
        let key = (tenant.as_str(), MAIN);
        let version: Vec<(Option<i64>,)> = self.cluster.try_rows(Statement::CalendarDecided, &key, 1).await?;
        let version = version.into_iter().next().and_then(|(version,)| version);
        let mut overlay = Overlay::default();
        let fetched = wants.iter().map(|want| self.fetch(tenant, want));
        for (want, found) in wants.iter().zip(futures_util::future::try_join_all(fetched).await?) {
            overlay.fetched(want.clone(), found);
        }
        let answer = self.run(tenant, &mut overlay, act).await?;
        let now_us = self.cluster.clock.now().as_microsecond();
        let changes = changes(tenant, version, now_us, overlay, self.keys_ttl())?;
        if changes.len() <= 1 {
            return Ok(answer);
        }
        match self.cluster.compare_together(&changes).await? {
            true => Ok(answer),
            false => {
                counter!(CONTENTION).increment(1);
                Err(Failure::undone("others change the calendar, too"))
            }
        }
    }

    /// Runs what reads rows until all of them have been fetched.
    async fn run<T: Send>(
        &self,
        tenant: &TenantId,
        overlay: &mut Overlay,
        act: &(impl Fn(&mut Overlay) -> Result<T> + Send + Sync),
    ) -> Tried<T> {
        loop {
            let answer = act(overlay);
            match overlay.take_missing() {
                None => return Ok(answer?),
                Some(want) => {
                    let found = self.fetch(tenant, &want).await?;
                    overlay.fetched(want, found);
                }
            }
        }
    }

    async fn fetch(&self, tenant: &TenantId, want: &Want) -> Tried<Found> {
        let tenant = tenant.as_str();
        match want {
            Want::Value(table, key) => {
                let values = (tenant, MAIN, kind(*table)?, key);
                let rows: Vec<(Option<Vec<u8>>,)> =
                    self.cluster.try_rows(Statement::CalendarRow, &values, 1).await?;
                Ok(Found::Value(rows.into_iter().next().and_then(|(value,)| value)))
            }
            Want::Range { table, from, until, backwards, limit } => {
                let statement = match backwards {
                    true => Statement::CalendarBackwards,
                    false => Statement::CalendarForwards,
                };
                let most = i32::try_from(*limit).unwrap_or(i32::MAX);
                let values = (tenant, MAIN, kind(*table)?, from, until, most);
                let rows: Vec<Row> = self.cluster.try_rows(statement, &values, *limit).await?;
                Ok(Found::Range(rows))
            }
        }
    }

    /// Reads a calendar as it was last decided.
    pub(super) async fn look<T: Send>(
        &self,
        tenant: &TenantId,
        read: impl Fn(&mut Overlay) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let read = &read;
        self.cluster
            .patiently(Use::Agreed, || async move { self.run(tenant, &mut Overlay::default(), read).await })
            .await
    }

    pub(super) async fn occupied_rows(
        &self,
        tenant: &TenantId,
        resource: &ResourceId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Occupied>> {
        self.look(tenant, |rows| bookings::occupied(rows, tenant, resource, from, until)).await
    }

    pub(super) async fn list_bookings(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        until: Timestamp,
        page: &Page,
    ) -> Result<Listing<Booking>> {
        let partition = Key::new().text(tenant.as_str());
        let first = partition.clone().time(from);
        let end = partition.clone().time(until);
        let (partition, first, end) = (partition.as_bytes(), first.as_bytes(), end.as_bytes());
        listing::fill(page, Start::of(page, 0)?, |start, most| async move {
            let after = [partition, &start.place, &[0]].concat();
            let from = if start.place.is_empty() { first } else { first.max(&after) };
            if from >= end {
                return Ok(Looked { rows: Vec::new(), next: None });
            }
            let (table, rows) = (Table::BookingsByStart, i32::try_from(most).unwrap_or(i32::MAX));
            let kind = kind_of(table).unwrap_or_default();
            let values = (tenant.as_str(), MAIN, kind, from, end, rows);
            let found: Vec<Row> = self.cluster.rows(Statement::CalendarForwards, values, most).await?;
            let place = |key: &[u8]| Start {
                bucket: 0,
                place: key.get(partition.len()..).unwrap_or_default().to_vec(),
            };
            let next = found.last().filter(|_| found.len() >= most).map(|(key, _)| place(key));
            let rows = for_each(found, self.cluster.settings.fan_out, |(key, _)| async move {
                let id = key.last_chunk::<16>().map(|bytes| BookingId::new(uuid::Uuid::from_bytes(*bytes)));
                let booking = match id {
                    Some(id) => self.booking_row(tenant, id).await?,
                    None => None,
                };
                // One that was moved meanwhile stands where it is now.
                let booking = booking.filter(|booking| bookings::start_key(booking).as_bytes() == key);
                Ok(booking.map(|booking| (place(&key), booking)))
            });
            Ok(Looked { rows: rows.await?.into_iter().flatten().collect(), next })
        })
        .await
    }

    pub(super) async fn booking_row(&self, tenant: &TenantId, id: BookingId) -> Result<Option<Booking>> {
        let key = bookings::booking_key(tenant, id);
        let value = self.look(tenant, |rows| rows.get(Table::Bookings, key.as_bytes())).await?;
        value.map(|value| decode(WHAT, &value)).transpose()
    }

    pub(super) async fn written_row(
        &self,
        tenant: &TenantId,
        key: &IdempotencyKey,
    ) -> Result<Option<Booking>> {
        self.look(tenant, |rows| bookings::written(rows, tenant, key)).await
    }
}

/// What every change of an appointment reads.
fn bookings_wants(booking: &Booking, occupied: Option<&Occupied>, key: &IdempotencyKey) -> Vec<Want> {
    let value = |table, key: Key| Want::Value(table, key.as_bytes().to_vec());
    let mut wants = vec![
        value(Table::Written, bookings::written_key(&booking.tenant, key)),
        value(Table::Bookings, bookings::booking_key(&booking.tenant, booking.id)),
    ];
    if let Some(span) = occupied.filter(|span| span.from < span.until) {
        let partition = bookings::resource_partition(&booking.tenant, &span.resource);
        let (from, until) = (partition.clone().time(span.from), partition.clone().time(span.until));
        let range = |from: &Key, until: &Key, backwards, limit| Want::Range {
            table: Table::Occupied,
            from: from.as_bytes().to_vec(),
            until: until.as_bytes().to_vec(),
            backwards,
            limit,
        };
        wants.push(range(&partition, &from, true, 1));
        wants.push(range(&from, &until, false, usize::MAX));
    }
    wants
}

/// The conditional batch: first the comparison, then the rows. Versions follow the time, so that those of a
/// calendar that was erased never come again.
fn changes(
    tenant: &TenantId,
    version: Option<i64>,
    now_us: i64,
    overlay: Overlay,
    keys_ttl: i32,
) -> Tried<Vec<(Statement, Values)>> {
    let text = |text: &str| Some(CqlValue::Text(text.to_owned()));
    let raised = version.unwrap_or(0).saturating_add(1).max(now_us);
    let mut changes = vec![(
        Statement::RaiseCalendar,
        vec![
            Some(CqlValue::BigInt(raised)),
            text(tenant.as_str()),
            text(MAIN),
            version.map(CqlValue::BigInt),
        ],
    )];
    for ((table, place), value) in overlay.into_changes() {
        let mut values = vec![
            text(tenant.as_str()),
            text(MAIN),
            Some(CqlValue::TinyInt(kind(table)?)),
            Some(CqlValue::Blob(place)),
        ];
        let statement = match value {
            None => Statement::DropCalendarRow,
            Some(value) => {
                let ttl = if table == Table::Written { keys_ttl } else { 0 };
                values.extend([Some(CqlValue::Blob(value)), Some(CqlValue::Int(ttl))]);
                Statement::PutCalendarRow
            }
        };
        changes.push((statement, values));
    }
    Ok(changes)
}
