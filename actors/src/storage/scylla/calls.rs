//! Calls' summary rows. The row under the call's identity is the truth; listings name calls, and what they name is
//! checked against it when it is read. So they are written first and may name what never came to be.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Scylla;
use super::claims::{check_holder, time_of};
use super::cql::Statement;
use super::listing::{self, Looked, Start, for_each};
use super::own_calls::Listed;
use crate::clock::ms;
use crate::storage::ordered::{Key, decode, encode};
use crate::storage::{Error, Listing, Page, Result};
use crate::types::{CallId, CallRecord, PhoneNumber, TenantId};

pub(super) const WHAT: &str = "call";
/// The listing of calls among the buckets.
pub(super) const CALLS: i8 = 1;
/// How often a process that is held up over and over writes a call's row before it says so.
const WRITE_TRIES: u32 = 3;

/// The day of a time, in days since 1970 (UTC).
pub(super) fn day_of(time: Timestamp) -> i32 {
    const DAY_NANOSECONDS: i128 = 86_400_000_000_000;
    i32::try_from(time.as_nanosecond().div_euclid(DAY_NANOSECONDS)).unwrap_or(i32::MAX)
}

/// The month of a time, in months since the year 0 (UTC).
pub(super) fn month_of(time: Timestamp) -> i32 {
    let date = time.to_zoned(TimeZone::UTC).date();
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// A place in a listing: latest first, then by identity.
pub(super) fn place_of(time: Timestamp, id: uuid::Uuid) -> Vec<u8> {
    Key::new().time_descending(time).uuid(id).as_bytes().to_vec()
}

pub(super) fn place(record: &CallRecord) -> Vec<u8> {
    place_of(record.started_at, record.id.as_uuid())
}

/// The identity that a place ends with.
pub(super) fn id_in(place: &[u8]) -> Option<uuid::Uuid> {
    place.last_chunk::<16>().map(|bytes| uuid::Uuid::from_bytes(*bytes))
}

pub(super) fn caller(record: &CallRecord) -> Option<&str> {
    record.caller.as_ref().map(|caller| caller.reveal().as_str())
}

impl Scylla {
    pub(super) async fn put_call_row(&self, record: &CallRecord) -> Result<()> {
        if self.put_own_call(record).await? {
            return Ok(());
        }
        let at = self.put_call_at(record, |now, written_us| time_of(record, now, written_us)).await?;
        self.own_calls.note(record, at);
        Ok(())
    }

    /// Writes what nobody has written before. Nothing is read: where another process has the call by now, what this
    /// one writes lies in an earlier era.
    pub(super) async fn begin_call_row(&self, record: &CallRecord) -> Result<()> {
        self.retention.knows(record.id, &record.tenant, self.cluster.settings.retention_cached_max);
        let time_us = |now, written_us| time_of(record, now, written_us);
        let at = self.write_call(record, None, None, time_us).await?;
        self.own_calls.note(record, at);
        Ok(())
    }

    /// Writes a call that another store had: what was erased here is written again, too.
    pub(super) async fn import_call_row(&self, record: &CallRecord) -> Result<()> {
        self.put_call_at(record, |now, written_us| {
            let now_us = now.as_microsecond();
            written_us.map_or(now_us, |written| now_us.max(written.saturating_add(1)))
        })
        .await
        .map(drop)
    }

    async fn put_call_at(
        &self,
        record: &CallRecord,
        time_us: impl Fn(Timestamp, Option<i64>) -> i64 + Send,
    ) -> Result<Option<i64>> {
        self.retention.knows(record.id, &record.tenant, self.cluster.settings.retention_cached_max);
        let before: Option<(Option<Vec<u8>>, Option<i64>)> =
            self.cluster.row(Statement::CallAndTime, (record.id.as_uuid(),)).await?;
        let (before, written_us) = before.unwrap_or_default();
        let before: Option<CallRecord> = before.map(|value| decode(WHAT, &value)).transpose()?;
        check_holder(before.as_ref(), record)?;
        let at = self.write_call(record, before.as_ref(), written_us, time_us).await?;
        // An entry of a call that was never written as open may be there all the same, of a write that was cut short:
        // whoever reads it finds that out, and it goes by itself.
        let Some(before) = before else { return Ok(at) };
        if record.ended_at.is_some() && before.ended_at.is_none() {
            self.close_call(&before, at).await?;
        }
        self.unlist(&before, record, at).await.map(|()| at)
    }

    /// Writes the listings that do not name the call yet, then the row; and when that was, for the servers. Who was
    /// held up in between does it again: a listing's entry without a row may have been taken for one that a
    /// process left which died.
    pub(super) async fn write_call(
        &self,
        record: &CallRecord,
        before: Option<&CallRecord>,
        mut written_us: Option<i64>,
        time_us: impl Fn(Timestamp, Option<i64>) -> i64 + Send,
    ) -> Result<Option<i64>> {
        let value = encode(WHAT, record)?;
        let most = ms(self.cluster.settings.settle_ms / 2);
        for _ in 0..WRITE_TRIES {
            let began = self.cluster.clock.monotonic();
            let at = Some(time_us(self.cluster.clock.now(), written_us));
            let is_listed = self.index(record, before, at).await?;
            let values = (record.id.as_uuid(), record.tenant.as_str(), value.as_slice());
            self.cluster.write(Statement::PutCall, values, at).await?;
            if is_listed || self.cluster.clock.monotonic().duration_since(began) <= most {
                return Ok(at);
            }
            written_us = at;
        }
        let why = "this process was held up while it wrote a call; it is to be written again".to_owned();
        Err(Error::Unknown { why })
    }

    /// Names the call in the listings, but where they do already; and whether they did. `before`: the call's row.
    /// What another process listed that had the call is listed again, lest it drops that in its own time.
    async fn index(&self, record: &CallRecord, before: Option<&CallRecord>, at: Option<i64>) -> Result<bool> {
        let before = before.filter(|before| Listed::of(before) == Listed::of(record));
        if record.ended_at.is_none() && before.is_none_or(|before| before.ended_at.is_some()) {
            self.list_call(record, before.is_some(), true, at).await?;
        } else if before.is_none() {
            self.list_call(record, false, false, at).await?;
        }
        Ok(before.is_some())
    }

    async fn list_call(
        &self,
        record: &CallRecord,
        is_listed: bool,
        is_open: bool,
        at: Option<i64>,
    ) -> Result<()> {
        let (tenant, day, place) = (record.tenant.as_str(), day_of(record.started_at), place(record));
        let listed = async {
            if is_listed {
                return Ok(());
            }
            let by_day = self.cluster.write(Statement::PutCallByDay, (tenant, day, place.as_slice()), at);
            let bucket = self.name_day(&record.tenant, day);
            let by_caller = async {
                let Some(caller) = caller(record) else { return Ok(()) };
                self.cluster.write(Statement::PutCallByCaller, (tenant, caller, place.as_slice()), at).await
            };
            tokio::try_join!(by_day, bucket, by_caller).map(drop)
        };
        let open = async { if is_open { self.open_call(record, at).await } else { Ok(()) } };
        tokio::try_join!(listed, open).map(drop)
    }

    /// Drops what the listings say of a call that says otherwise now.
    async fn unlist(&self, before: &CallRecord, now: &CallRecord, at: Option<i64>) -> Result<()> {
        let tenant = before.tenant.as_str();
        let moved = before.tenant != now.tenant || before.started_at != now.started_at;
        if moved {
            let values = (tenant, day_of(before.started_at), place(before));
            self.cluster.write(Statement::DropCallByDay, values, at).await?;
        }
        if let Some(gone) = caller(before).filter(|gone| moved || Some(*gone) != caller(now)) {
            self.cluster.write(Statement::DropCallByCaller, (tenant, gone, place(before)), at).await?;
        }
        if moved && before.ended_at.is_none() && day_of(before.started_at) != day_of(now.started_at) {
            self.close_call(before, at).await?;
        }
        Ok(())
    }

    pub(super) async fn call_row(&self, call: CallId) -> Result<Option<CallRecord>> {
        let row: Option<(Option<Vec<u8>>,)> = self.cluster.row(Statement::Call, (call.as_uuid(),)).await?;
        row.and_then(|(value,)| value).map(|value| decode(WHAT, &value)).transpose()
    }

    pub(super) async fn list_calls(&self, tenant: &TenantId, page: &Page) -> Result<Listing<CallRecord>> {
        listing::fill(page, Start::of(page, i32::MAX)?, |from, most| async move {
            let Some(day) = self.bucket_from(tenant, CALLS, from.bucket).await? else {
                return Ok(Looked { rows: Vec::new(), next: None });
            };
            let after = if day == from.bucket { from.place } else { Vec::new() };
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let values = (tenant.as_str(), day, after, rows);
            let places: Vec<(Vec<u8>,)> = self.cluster.rows(Statement::CallsByDay, values, most).await?;
            let next = match places.last().filter(|_| places.len() >= most) {
                Some((last,)) => Some(Start { bucket: day, place: last.clone() }),
                None => day.checked_sub(1).map(|bucket| Start { bucket, place: Vec::new() }),
            };
            let rows = self.named(tenant, None, day, places).await?;
            Ok(Looked { rows, next })
        })
        .await
    }

    /// Calls that began before `before`, oldest first.
    pub(super) async fn list_old_calls(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        page: &Page,
    ) -> Result<Listing<CallRecord>> {
        // Later times sort first: those before it sort after all that begin with it.
        let (lowest, last_day) = (Key::new().time_descending(before).end(), day_of(before));
        let lowest = lowest.as_slice();
        listing::fill(page, Start::of(page, i32::MIN)?, |from, most| async move {
            let values = (tenant.as_str(), CALLS, from.bucket, 1_i32);
            let row: Option<(i32,)> = self.cluster.row(Statement::BucketsUp, values).await?;
            let Some((day,)) = row.filter(|(day,)| *day <= last_day) else {
                return Ok(Looked { rows: Vec::new(), next: None });
            };
            let is_on = day == from.bucket && !from.place.is_empty();
            let end = if is_on { from.place } else { vec![0xff; 64] };
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let values = (tenant.as_str(), day, lowest, end, rows);
            let places: Vec<(Vec<u8>,)> = self.cluster.rows(Statement::OldCallsByDay, values, most).await?;
            let next = match places.last().filter(|_| places.len() >= most) {
                Some((last,)) => Some(Start { bucket: day, place: last.clone() }),
                None => day.checked_add(1).map(|bucket| Start { bucket, place: Vec::new() }),
            };
            let rows = self.named(tenant, None, day, places).await?;
            Ok(Looked { rows, next })
        })
        .await
    }

    pub(super) async fn list_calls_by_caller(
        &self,
        tenant: &TenantId,
        caller: &PhoneNumber,
        page: &Page,
    ) -> Result<Listing<CallRecord>> {
        listing::fill(page, Start::of(page, 0)?, |from, most| async move {
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let values = (tenant.as_str(), caller.as_str(), from.place, rows);
            let places: Vec<(Vec<u8>,)> = self.cluster.rows(Statement::CallsByCaller, values, most).await?;
            let last = places.last().filter(|_| places.len() >= most);
            let next = last.map(|(last,)| Start { bucket: 0, place: last.clone() });
            let rows = self.named(tenant, Some(caller), 0, places).await?;
            Ok(Looked { rows, next })
        })
        .await
    }

    /// The calls that a listing names, where they say the same.
    async fn named(
        &self,
        tenant: &TenantId,
        of: Option<&PhoneNumber>,
        bucket: i32,
        places: Vec<(Vec<u8>,)>,
    ) -> Result<Vec<(Start, CallRecord)>> {
        let rows = for_each(places, self.cluster.settings.fan_out, |(listed,)| async move {
            let Some(id) = id_in(&listed) else { return Ok(None) };
            let record = self.call_row(CallId::new(id)).await?;
            let record = record.filter(|record| {
                record.tenant == *tenant
                    && place(record) == listed
                    && of.is_none_or(|of| caller(record) == Some(of.as_str()))
            });
            Ok(record.map(|record| (Start { bucket, place: listed }, record)))
        });
        Ok(rows.await?.into_iter().flatten().collect())
    }

    /// The latest bucket of a listing, at or before this one.
    pub(super) async fn bucket_from(&self, tenant: &TenantId, listing: i8, from: i32) -> Result<Option<i32>> {
        let values = (tenant.as_str(), listing, from, 1_i32);
        let row: Option<(i32,)> = self.cluster.row(Statement::Buckets, values).await?;
        Ok(row.map(|(bucket,)| bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_follow_the_calendar_on_both_sides_of_1970() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(day_of(at("1970-01-01T00:00:00Z")), 0);
        assert_eq!(day_of(at("1969-12-31T23:59:59.999999999Z")), -1);
        assert_eq!(day_of(at("2026-11-26T23:59:59Z")), 20_783);
        assert_eq!(month_of(at("2026-11-26T23:59:59Z")) + 2, month_of(at("2027-01-01T00:00:00Z")));
        assert!(day_of(Timestamp::MIN) < 0 && day_of(Timestamp::MAX) > 0);
    }

    #[test]
    fn a_place_ends_with_the_identity_and_sorts_latest_first() {
        let (early, late) =
            (Timestamp::from_second(5).expect("a time"), Timestamp::from_second(6).expect("a time"));
        let id = uuid::Uuid::from_u128(7);
        assert!(place_of(late, id) < place_of(early, id));
        assert_eq!(id_in(&place_of(late, id)), Some(id));
        assert_eq!(id_in(&[1, 2]), None);
    }
}
