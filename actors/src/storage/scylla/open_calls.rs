//! Calls without an end, by the day on which they started. Each day has many partitions, since every call passes
//! through one and leaves a tombstone there.

use std::time::Duration;

use uuid::Uuid;

use super::Scylla;
use super::calls::day_of;
use super::cql::Statement;
use super::listing::{self, Looked, Start, for_each, wrong_cursor};
use crate::storage::{Listing, Page, Result};
use crate::types::{CallId, CallRecord};

/// Partitions of a day. At 100,000 tombstones, where a read fails, that is 6.4 million calls within the hour that
/// they are kept.
const SHARDS: u128 = 64;
/// When a day that was noted is noted again.
const DAY_AGAIN: Duration = Duration::from_secs(3_600);
/// The one partition of the days.
const PART: i8 = 0;

pub(super) fn shard_of(id: Uuid) -> i16 {
    // The low bits of a version 7 UUID are random (RFC 9562 section 5.7).
    i16::try_from(id.as_u128() % SHARDS).unwrap_or(0)
}

pub(super) fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// A call's entry.
pub(super) fn entry(record: &CallRecord) -> (i32, i16, Vec<u8>) {
    (day_of(record.started_at), shard_of(record.id.as_uuid()), bytes(record.id.as_uuid()))
}

/// All partitions.
pub(super) fn shards() -> std::ops::Range<i16> {
    0..i16::try_from(SHARDS).unwrap_or(i16::MAX)
}

impl Scylla {
    pub(super) async fn open_call(&self, record: &CallRecord, at: Option<i64>) -> Result<()> {
        let row = self.cluster.write(Statement::PutOpenCall, entry(record), at);
        tokio::try_join!(row, self.open_day(day_of(record.started_at))).map(drop)
    }

    /// Notes the day. Nobody drops it, so that once in a while is enough; it goes by itself in the end.
    async fn open_day(&self, day: i32) -> Result<()> {
        let now = self.cluster.clock.monotonic();
        if self.open_day.lock().is_some_and(|(noted, at)| noted == day && now.duration_since(at) < DAY_AGAIN)
        {
            return Ok(());
        }
        self.cluster.write(Statement::PutOpenDay, (PART, day), None).await?;
        *self.open_day.lock() = Some((day, now));
        Ok(())
    }

    pub(super) async fn close_call(&self, record: &CallRecord, at: Option<i64>) -> Result<()> {
        self.cluster.write(Statement::DropOpenCall, entry(record), at).await
    }

    pub(super) async fn list_open_calls(&self, page: &Page) -> Result<Listing<CallRecord>> {
        listing::fill(page, Start::of(page, i32::MIN)?, |from, most| async move {
            let days: Vec<(i32,)> = self.cluster.rows(Statement::OpenDays, (PART, from.bucket), 2).await?;
            let Some((day,)) = days.first().copied() else {
                return Ok(Looked { rows: Vec::new(), next: None });
            };
            let after = if day == from.bucket { from.place } else { Vec::new() };
            let calls = self.open_on(day, &after, most).await?;
            let next = match calls.last().filter(|_| calls.len() >= most) {
                Some(last) => Some(Start { bucket: day, place: last.clone() }),
                None => days.get(1).map(|(day,)| Start { bucket: *day, place: Vec::new() }),
            };
            let rows = for_each(calls, self.cluster.settings.fan_out, |call| async move {
                let id = Uuid::from_slice(&call).map_err(|_| wrong_cursor())?;
                let record = self.call_row(CallId::new(id)).await?;
                let open =
                    record.filter(|record| record.ended_at.is_none() && day_of(record.started_at) == day);
                Ok(open.map(|record| (Start { bucket: day, place: call }, record)))
            });
            Ok(Looked { rows: rows.await?.into_iter().flatten().collect(), next })
        })
        .await
    }

    /// The first open calls of a day behind `after`, of all of its partitions, in order.
    async fn open_on(&self, day: i32, after: &[u8], most: usize) -> Result<Vec<Vec<u8>>> {
        let rows = i32::try_from(most).unwrap_or(i32::MAX);
        let found = for_each(shards(), self.cluster.settings.fan_out, |shard| async move {
            let values = (day, shard, after, rows);
            let calls: Vec<(Vec<u8>,)> = self.cluster.rows(Statement::OpenCalls, values, most).await?;
            Ok(calls)
        });
        let mut calls: Vec<Vec<u8>> = found.await?.into_iter().flatten().map(|(call,)| call).collect();
        calls.sort();
        calls.truncate(most);
        Ok(calls)
    }
}
