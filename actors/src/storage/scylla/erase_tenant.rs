//! Erasing a business: what lets calls in, what opens recordings, its calls, and then whatever is in its
//! partitions.

use scylla::value::CqlValue;

use super::Scylla;
use super::businesses::{FACT, PART};
use super::calendar::MAIN;
use super::calls::{CALLS, id_in, place};
use super::cql::{Statement, Use};
use super::erase_caller::ROWS_PER_STEP;
use super::failure::{Failure, Meaning};
use super::messages::MESSAGES;
use super::recordings::RECORDINGS;
use crate::storage::ordered::{Place, Table, Write as _};
use crate::storage::{Cursor, Erased, Erasure, Extent, Page, Result};
use crate::types::{CallId, RecordingId, TenantId};

/// Calls that one step erases.
const CALLS_PER_STEP: usize = 16;
/// The kinds of a calendar's rows.
const CALENDAR: [Table; 4] = [Table::Bookings, Table::BookingsByStart, Table::Occupied, Table::Written];
/// The business, its calls, its recordings, its calendar, its messages, its buckets, its users.
const PARTS: usize = 7;

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
                erasure.erased.recordings = self.erase_left_recordings(tenant).await?;
                None
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
            5 => {
                self.drop_empty_buckets(tenant).await?;
                None
            }
            6 => {
                let (count, more) = self.erase_users(tenant).await?;
                erasure.erased.users = count;
                more.then(again).flatten()
            }
            _ => return Ok(erasure),
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

    /// Recordings that no record names, such as those of calls that died early.
    async fn erase_left_recordings(&self, tenant: &TenantId) -> Result<u64> {
        let (mut count, mut from) = (0, i32::MAX);
        while let Some(month) = self.bucket_from(tenant, RECORDINGS, from).await? {
            let mut after = Vec::new();
            loop {
                let rows = i32::try_from(ROWS_PER_STEP).unwrap_or(i32::MAX);
                let values = (tenant.as_str(), month, after.clone(), rows);
                let found: Vec<(Vec<u8>,)> =
                    self.cluster.rows(Statement::RecordingsByMonth, values, ROWS_PER_STEP).await?;
                for (id,) in &found {
                    let Ok(id) = uuid::Uuid::from_slice(id) else { continue };
                    count += u64::from(self.erase_left_recording(tenant, month, RecordingId::new(id)).await?);
                }
                match found.last().filter(|_| found.len() >= ROWS_PER_STEP) {
                    Some((last,)) => after = last.clone(),
                    None => break,
                }
            }
            match month.checked_sub(1) {
                Some(earlier) => from = earlier,
                None => break,
            }
        }
        Ok(count)
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

    /// Buckets that nothing is listed in any more; a listing's last traces go with them.
    async fn drop_empty_buckets(&self, tenant: &TenantId) -> Result<()> {
        for listing in [CALLS, MESSAGES, RECORDINGS] {
            let mut from = i32::MAX;
            while let Some(bucket) = self.bucket_from(tenant, listing, from).await? {
                let some: Vec<Vec<u8>> = match listing {
                    CALLS => self.true_calls(tenant, bucket).await?,
                    MESSAGES => self.places(Statement::Messages, tenant, bucket).await?,
                    _ => self.places(Statement::RecordingsByMonth, tenant, bucket).await?,
                };
                if some.is_empty() {
                    let values = (tenant.as_str(), listing, bucket);
                    self.cluster.write(Statement::DropBucket, values, None).await?;
                }
                match bucket.checked_sub(1) {
                    Some(earlier) => from = earlier,
                    None => break,
                }
            }
        }
        Ok(())
    }

    async fn places(&self, statement: Statement, tenant: &TenantId, bucket: i32) -> Result<Vec<Vec<u8>>> {
        let values = (tenant.as_str(), bucket, Vec::<u8>::new(), 1_i32);
        if statement == Statement::Messages {
            let rows: Vec<(Vec<u8>, Vec<u8>)> = self.cluster.rows(statement, values, 1).await?;
            return Ok(rows.into_iter().map(|(place, _)| place).collect());
        }
        let rows: Vec<(Vec<u8>,)> = self.cluster.rows(statement, values, 1).await?;
        Ok(rows.into_iter().map(|(place,)| place).collect())
    }

    /// The calls listed on a day that are there. What else the day lists came to be by half, and is dropped.
    async fn true_calls(&self, tenant: &TenantId, day: i32) -> Result<Vec<Vec<u8>>> {
        let values = (tenant.as_str(), day, Vec::<u8>::new(), i32::MAX);
        let listed: Vec<(Vec<u8>,)> = self.cluster.rows(Statement::CallsByDay, values, usize::MAX).await?;
        let mut there = Vec::new();
        for (listed,) in listed {
            let record = match id_in(&listed) {
                Some(id) => self.call_row(CallId::new(id)).await?,
                None => None,
            };
            if record.is_some_and(|record| record.tenant == *tenant && place(&record) == listed) {
                there.push(listed);
            } else {
                let values = (tenant.as_str(), day, listed);
                self.cluster.write(Statement::DropCallByDay, values, None).await?;
            }
        }
        Ok(there)
    }
}
