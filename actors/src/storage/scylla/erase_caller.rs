//! Erasing a caller: a business's rows are gone through part by part, a page per step, and what mentions the
//! number goes.

use super::Scylla;
use super::calendar::MAIN;
use super::cql::Statement;
use super::listing::{Start, wrong_cursor};
use super::messages::{self, MESSAGES};
use super::overlay::Want;
use crate::storage::mention::mentions;
use crate::storage::ordered::{Key, Place, Row, Table, Write as _, bookings, decode, from_hex, to_hex};
use crate::storage::{Cursor, Erased, Erasure, Extent, IdempotencyKey, Page, Result};
use crate::types::{Booking, CallRecord, Message, PhoneNumber, TenantId};

/// Calls, appointments, what was written of appointments, messages.
const PARTS: usize = 4;
/// Calls that one step looks at, with their events.
const CALLS_PER_STEP: usize = 32;
/// Other rows that one step looks at.
pub(super) const ROWS_PER_STEP: usize = 256;

impl Scylla {
    pub(super) async fn erase_caller_step(
        &self,
        tenant: &TenantId,
        caller: &PhoneNumber,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        let place = Place::read(after.as_ref())?;
        let inner = place.inner.clone();
        let (mut erasure, next) = match place.part {
            0 => self.erase_callers_calls(tenant, caller, inner).await?,
            1 => self.erase_in_calendar(tenant, caller, Table::Bookings, inner).await?,
            2 => self.erase_in_calendar(tenant, caller, Table::Written, inner).await?,
            3 => self.erase_in_messages(tenant, Some(caller), inner).await?,
            _ => return Ok(Erasure::default()),
        };
        erasure.next = place.next(next, PARTS);
        Ok(erasure)
    }

    async fn erase_callers_calls(
        &self,
        tenant: &TenantId,
        caller: &PhoneNumber,
        after: Option<Cursor>,
    ) -> Result<(Erasure, Option<Cursor>)> {
        let listing = self.list_calls(tenant, &Page { after, limit: CALLS_PER_STEP }).await?;
        let mut erasure = Erasure::default();
        for record in listing.rows {
            if self.is_theirs(&record, caller).await? {
                erasure.add(self.erase_call_rows(record.id, Extent::Everything).await?);
            }
        }
        Ok((erasure, listing.next))
    }

    async fn is_theirs(&self, record: &CallRecord, caller: &PhoneNumber) -> Result<bool> {
        let theirs = record.caller.as_ref().is_some_and(|other| other.reveal().reaches_same_line(caller))
            || mentions(record.summary.reveal().as_bytes(), caller);
        Ok(theirs || self.raw_events(record.id).await?.iter().any(|event| mentions(event, caller)))
    }

    /// Appointments that mention the caller, or copies that do, or whose appointment is gone.
    async fn erase_in_calendar(
        &self,
        tenant: &TenantId,
        caller: &PhoneNumber,
        table: Table,
        after: Option<Cursor>,
    ) -> Result<(Erasure, Option<Cursor>)> {
        let after = after.map(|Cursor(text)| from_hex(&text)).transpose()?;
        let found = self.calendar_page(tenant, table, after.as_deref()).await?;
        let next = found.last().filter(|_| found.len() >= ROWS_PER_STEP).map(|(key, _)| Cursor(to_hex(key)));
        let mut candidates: Vec<(Vec<u8>, Booking, bool)> = Vec::new();
        for (key, value) in found {
            let mentioned = mentions(&value, caller);
            if mentioned || table == Table::Written {
                candidates.push((key, decode(super::calendar::WHAT, &value)?, mentioned));
            }
        }
        let own = |booking: &Booking| bookings::booking_key(tenant, booking.id).as_bytes().to_vec();
        let wants = candidates.iter().map(|(_, booking, _)| Want::Value(Table::Bookings, own(booking)));
        let (wants, candidates) = (wants.collect(), &candidates);
        let erased = self.decide(tenant, wants, |rows| {
            let mut erased = Erased::default();
            for (key, booking, mentioned) in candidates {
                if table == Table::Bookings {
                    erased.bookings += u64::from(bookings::erase(rows, tenant, booking.id)?);
                } else if *mentioned || bookings::get(rows, tenant, booking.id)?.is_none() {
                    rows.remove(table, key)?;
                    erased.outcomes += 1;
                }
            }
            Ok(erased)
        });
        Ok((Erasure { erased: erased.await?, ..Erasure::default() }, next))
    }

    pub(super) async fn calendar_page(
        &self,
        tenant: &TenantId,
        table: Table,
        after: Option<&[u8]>,
    ) -> Result<Vec<Row>> {
        let partition = Key::new().text(tenant.as_str());
        let from = after.map_or_else(|| partition.as_bytes().to_vec(), |last| [last, &[0]].concat());
        let (kind, rows) =
            (super::calendar::kind_of(table), i32::try_from(ROWS_PER_STEP).unwrap_or(i32::MAX));
        let values = (tenant.as_str(), MAIN, kind, from, partition.end(), rows);
        self.cluster.rows(Statement::CalendarForwards, values, ROWS_PER_STEP).await
    }

    /// Messages that mention the caller; all where none is named.
    pub(super) async fn erase_in_messages(
        &self,
        tenant: &TenantId,
        caller: Option<&PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<(Erasure, Option<Cursor>)> {
        let from = Start::of(&Page { after, limit: 1 }, i32::MAX).map_err(|_| wrong_cursor())?;
        let Some(month) = self.bucket_from(tenant, MESSAGES, from.bucket).await? else {
            return Ok((Erasure::default(), None));
        };
        let after = if month == from.bucket { from.place } else { Vec::new() };
        let rows = i32::try_from(ROWS_PER_STEP).unwrap_or(i32::MAX);
        let values = (tenant.as_str(), month, after, rows);
        let found: Vec<(Vec<u8>, String, Vec<u8>)> =
            self.cluster.rows(Statement::MessagesAndKeys, values, ROWS_PER_STEP).await?;
        let next = match found.last().filter(|_| found.len() >= ROWS_PER_STEP) {
            Some((last, _, _)) => Some(Start { bucket: month, place: last.clone() }),
            None => month.checked_sub(1).map(|bucket| Start { bucket, place: Vec::new() }),
        };
        let mut erased = Erased::default();
        for (_, key, value) in found {
            if caller.is_none_or(|caller| mentions(&value, caller)) {
                let message: Message = decode(messages::WHAT, &value)?;
                erased.messages += u64::from(self.erase_message(&message, &IdempotencyKey(key)).await?);
            }
        }
        Ok((Erasure { erased, ..Erasure::default() }, next.map(|next| next.cursor())))
    }
}
