//! Erasing a business: what lets calls in, what opens recordings, its calls, and then whatever is in its
//! partitions.

use scylla::value::CqlValue;

use super::Scylla;
use super::businesses::{FACT, PART};
use super::calendar::MAIN;
use super::calls::CALLS;
use super::cql::{Statement, Use};
use super::erase_listing::next_page;
use super::failure::{Failure, Meaning};
use super::listing::Start;
use super::messages::MESSAGES;
use super::recordings::RECORDINGS;
use crate::storage::ordered::{Place, Table, Write as _};
use crate::storage::{Cursor, Erased, Erasure, Extent, Page, Result};
use crate::types::{RecordingId, TenantId};

/// Calls that one step erases.
const CALLS_PER_STEP: usize = 16;
/// The kinds of a calendar's rows.
const CALENDAR: [Table; 4] = [Table::Bookings, Table::BookingsByStart, Table::Occupied, Table::Written];
/// The business, its calls, its recordings, its calendar, its messages, its buckets, its users, and what nothing lists.
const PARTS: usize = 11;
/// The listings whose buckets go when they are empty, in the order of their parts.
const BUCKETS: [i8; 3] = [CALLS, MESSAGES, RECORDINGS];
const FIRST_BUCKETS: usize = 5;
const USERS: usize = 8;
const LEFT_MESSAGES: usize = 9;
const LEFT_CALLS: usize = 10;

impl Scylla {
    pub(super) async fn erase_tenant_step(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
    ) -> Result<Erasure> {
        let at = Place::read(after.as_ref())?;
        let inner = at.inner.clone();
        let again = || Some(Cursor("00".to_owned()));
        let mut erasure = Erasure::default();
        let next = match at.part {
            0 => {
                erasure.erased = self.close_business(tenant).await?;
                None
            }
            1 => {
                let listing = self.list_calls(tenant, &Page { after: inner, limit: CALLS_PER_STEP }).await?;
                for record in listing.rows {
                    erasure.add(self.erase_call_rows(record.id, Extent::Everything).await?);
                }
                listing.next
            }
            2 => {
                let (count, next) = self.erase_left_recordings(tenant, inner).await?;
                erasure.erased.recordings = count;
                next
            }
            3 => {
                let (erased, more) = self.clear_calendar(tenant).await?;
                erasure.erased = erased;
                more.then(again).flatten()
            }
            4 => {
                let (erased, next) = self.erase_in_messages(tenant, None, inner).await?;
                erasure.erased = erased.erased;
                next
            }
            USERS => {
                let (count, more) = self.erase_users(tenant).await?;
                erasure.erased.users = count;
                more.then(again).flatten()
            }
            LEFT_MESSAGES => {
                let (erased, next) = self.erase_unlisted_messages(tenant, inner).await?;
                erasure.erased = erased;
                next
            }
            LEFT_CALLS => {
                let (calls, next) = self.erase_unlisted_calls(tenant, inner).await?;
                erasure.add(calls);
                next
            }
            part => match part.checked_sub(FIRST_BUCKETS).and_then(|at| BUCKETS.get(at)) {
                Some(listing) => self.drop_empty_bucket(tenant, *listing, inner).await?,
                None => return Ok(erasure),
            },
        };
        erasure.next = at.next(next, PARTS);
        Ok(erasure)
    }

    /// The business goes by comparison, so that whoever changes it meanwhile fails; then its numbers, if nobody
    /// has claimed them anew.
    async fn close_business(&self, tenant: &TenantId) -> Result<Erased> {
        let _turn = self.turn(tenant.as_str()).await?;
        let mut erased = Erased::default();
        let was_there = self
            .cluster
            .patiently(Use::Compare, || async {
                let stored = self.decided(tenant).await?;
                if stored.version.is_none() && stored.fence.is_none() {
                    return Ok(false);
                }
                let mut claims = Vec::new();
                for number in stored.business.iter().flat_map(|business| &business.numbers) {
                    type Row = (String, uuid::Uuid, Option<bool>, Option<i64>);
                    let key = (number.as_str(),);
                    let rows: Vec<Row> = self.cluster.try_rows(Statement::NumberDecided, &key, 1).await?;
                    let own = rows.into_iter().filter(|(holder, ..)| holder == tenant.as_str());
                    claims.extend(own.map(|(_, claim, ..)| (number.clone(), claim)));
                }
                let values = (tenant.as_str(), FACT, stored.version, stored.fence);
                if !self.cluster.compare(Statement::DropBusiness, &values).await? {
                    return Err(Failure::undone("others change it, too"));
                }
                for (number, claim) in claims {
                    let values = (number.as_str(), claim);
                    match self.cluster.compare(Statement::DropNumber, &values).await {
                        Err(failure) if failure.meaning == Meaning::Refused => return Err(failure),
                        // One that stays is taken over by whoever wants the number next.
                        _ => {}
                    }
                }
                Ok(stored.business.is_some())
            })
            .await?;
        erased.businesses = u64::from(was_there);
        erased.keys = u64::from(self.drop_sealed_key(tenant).await?);
        self.cluster.write(Statement::DropTenant, (PART, tenant.as_str()), None).await?;
        Ok(erased)
    }

    /// Recordings that no record names, such as those of calls that died early: a page of a month.
    async fn erase_left_recordings(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
    ) -> Result<(u64, Option<Cursor>)> {
        let Some((month, after)) = self.bucket_after(tenant, RECORDINGS, after).await? else {
            return Ok((0, None));
        };
        let found = self.places(Statement::RecordingsByMonth, tenant, month, &after).await?;
        let mut count = 0;
        for id in &found {
            let Ok(id) = uuid::Uuid::from_slice(id) else { continue };
            count += u64::from(self.erase_left_recording(tenant, month, RecordingId::new(id)).await?);
        }
        Ok((count, next_page(month, &found)))
    }

    /// The bucket in which a step goes on, and after which place there.
    pub(super) async fn bucket_after(
        &self,
        tenant: &TenantId,
        listing: i8,
        after: Option<Cursor>,
    ) -> Result<Option<(i32, Vec<u8>)>> {
        let from = Start::of(&Page { after, limit: 1 }, i32::MAX)?;
        let bucket = self.bucket_from(tenant, listing, from.bucket).await?;
        Ok(bucket.map(|bucket| (bucket, if bucket == from.bucket { from.place } else { Vec::new() })))
    }

    async fn erase_left_recording(&self, tenant: &TenantId, month: i32, id: RecordingId) -> Result<bool> {
        let Some(row) = self.recording_row(id).await? else {
            let values = (tenant.as_str(), month, super::open_calls::bytes(id.as_uuid()));
            self.cluster.write(Statement::DropRecordingByMonth, values, None).await?;
            return Ok(false);
        };
        let live = self.call_row(row.call).await?.is_some_and(|record| record.ended_at.is_none());
        if live { Ok(false) } else { self.erase_recording(id).await }
    }

    /// Removes rows of the calendar, and whether there may be more; its version goes last.
    async fn clear_calendar(&self, tenant: &TenantId) -> Result<(Erased, bool)> {
        for table in CALENDAR {
            let found = self.calendar_page(tenant, table, None).await?;
            if found.is_empty() {
                continue;
            }
            let found = &found;
            self.decide(tenant, Vec::new(), |rows| {
                found.iter().try_for_each(|(key, _)| rows.remove(table, key))
            })
            .await?;
            let (count, mut erased) = (found.len() as u64, Erased::default());
            match table {
                Table::Bookings => erased.bookings = count,
                Table::Written => erased.outcomes = count,
                _ => {}
            }
            return Ok((erased, true));
        }
        let _turn = self.turn(tenant.as_str()).await?;
        let drop_version = || async {
            let key = (tenant.as_str(), MAIN);
            let rows: Vec<(Option<i64>,)> =
                self.cluster.try_rows(Statement::CalendarDecided, &key, 1).await?;
            let Some(version) = rows.into_iter().next().and_then(|(version,)| version) else { return Ok(()) };
            let values = vec![
                Some(CqlValue::Text(tenant.as_str().to_owned())),
                Some(CqlValue::Text(MAIN.to_owned())),
                Some(CqlValue::BigInt(version)),
            ];
            match self.cluster.compare(Statement::DropCalendar, &values).await? {
                true => Ok(()),
                false => Err(Failure::undone("others change the calendar, too")),
            }
        };
        self.cluster.patiently(Use::Compare, drop_version).await?;
        Ok((Erased::default(), false))
    }
}
