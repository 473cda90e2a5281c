//! Emptying a business's listings: what leads nowhere, and the buckets in which nothing is listed.
//!
//! Calls may be coming in. An entry is written before the row that it leads to, a bucket with the entry; a look in
//! between sees something that leads nowhere, or a bucket with nothing in it. What may be as young as that is left
//! until it has settled, and what is dropped then is dropped as of a time before the look: what came in since stays.

use jiff::Timestamp;

use super::Scylla;
use super::calls::{CALLS, day_of, id_in, month_of, place};
use super::claims::in_era;
use super::cql::Statement;
use super::erase_caller::ROWS_PER_STEP;
use super::listing::Start;
use super::messages::MESSAGES;
use crate::clock::ms;
use crate::storage::ordered::Key;
use crate::storage::{Cursor, Result};
use crate::types::{CallId, TenantId};

/// Calls that were kept in a journal may come in late by a week.
const RECENT_DAYS: i32 = 8;

impl Scylla {
    /// Looks at a page of a listing's bucket, drops of it what leads to no call, and the bucket itself once nothing
    /// is in it.
    pub(super) async fn drop_empty_bucket(
        &self,
        tenant: &TenantId,
        listing: i8,
        after: Option<Cursor>,
    ) -> Result<Option<Cursor>> {
        let Some((bucket, after)) = self.bucket_after(tenant, listing, after).await? else { return Ok(None) };
        let found = self.places(statement_of(listing), tenant, bucket, &after).await?;
        if listing == CALLS {
            self.drop_false_calls(tenant, bucket, &found).await?;
            // What is behind this page is looked at first.
            if let Some(next) = next_page(bucket, &found).filter(|_| found.len() >= ROWS_PER_STEP) {
                return Ok(Some(next));
            }
        }
        self.drop_bucket(tenant, listing, bucket).await?;
        Ok(next_page(bucket, &[]))
    }

    pub(super) async fn places(
        &self,
        statement: Statement,
        tenant: &TenantId,
        bucket: i32,
        after: &[u8],
    ) -> Result<Vec<Vec<u8>>> {
        let rows = i32::try_from(ROWS_PER_STEP).unwrap_or(i32::MAX);
        let values = (tenant.as_str(), bucket, after, rows);
        let found: Vec<(Vec<u8>,)> = self.cluster.rows(statement, values, ROWS_PER_STEP).await?;
        Ok(found.into_iter().map(|(place,)| place).collect())
    }

    /// Drops a bucket where nothing is in it. One that somebody writes in all along stays.
    async fn drop_bucket(&self, tenant: &TenantId, listing: i8, bucket: i32) -> Result<()> {
        let (key, settle_ms) = ((tenant.as_str(), listing, bucket), self.cluster.settings.settle_ms);
        for is_settled in [false, true] {
            let now = self.cluster.clock.now();
            let is_recent = is_recent(listing, bucket, now);
            if !self.places(statement_of(listing), tenant, bucket, &[]).await?.is_empty() {
                return Ok(());
            }
            let settle_us = i64::try_from(settle_ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
            let at = is_recent.then(|| now.as_microsecond().saturating_sub(settle_us));
            self.cluster.write(Statement::DropBucket, key, at).await?;
            if !is_recent || is_settled {
                return Ok(());
            }
            let there: Option<(i32,)> = self.cluster.row(Statement::Bucket, key).await?;
            if there.is_none() {
                return Ok(());
            }
            tokio::time::sleep(ms(settle_ms)).await;
        }
        Ok(())
    }

    /// What came to be by half: a day lists a call that is not there. It is dropped as of its call's own time; what is
    /// there still is of a copy from another store that was cut short, whose entries are of the time of the copy.
    async fn drop_false_calls(&self, tenant: &TenantId, day: i32, listed: &[Vec<u8>]) -> Result<()> {
        let mut left = listed.to_vec();
        for is_of_a_copy in [false, true] {
            let now = self.cluster.clock.now();
            left = self.false_calls(tenant, &left).await?;
            if !left.is_empty() && is_recent(CALLS, day, now) {
                tokio::time::sleep(ms(self.cluster.settings.settle_ms)).await;
                left = self.false_calls(tenant, &left).await?;
            }
            let mut there = Vec::new();
            for place in left {
                let key = (tenant.as_str(), day, place.as_slice());
                let began_at = Key::read_time_descending(&place).filter(|_| !is_of_a_copy);
                let at = began_at.map(|began_at| in_era(began_at, 0, now));
                self.cluster.write(Statement::DropCallByDay, key, at).await?;
                let still: Option<(Vec<u8>,)> = self.cluster.row(Statement::CallByDay, key).await?;
                there.extend(still.map(|_| place));
            }
            left = there;
        }
        Ok(())
    }

    /// Those that lead to no call.
    async fn false_calls(&self, tenant: &TenantId, listed: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        for listed in listed {
            let record = match id_in(listed) {
                Some(id) => self.call_row(CallId::new(id)).await?,
                None => None,
            };
            if record.is_none_or(|record| record.tenant != *tenant || place(&record) != *listed) {
                found.push(listed.clone());
            }
        }
        Ok(found)
    }
}

fn statement_of(listing: i8) -> Statement {
    match listing {
        CALLS => Statement::CallsByDay,
        MESSAGES => Statement::MessagePlaces,
        _ => Statement::RecordingsByMonth,
    }
}

/// Whether something may be on its way into this bucket.
fn is_recent(listing: i8, bucket: i32, now: Timestamp) -> bool {
    match listing {
        CALLS => day_of(now).saturating_sub(bucket) <= RECENT_DAYS,
        _ => month_of(now).saturating_sub(bucket) <= 1,
    }
}

/// Where the next step goes on: in the same bucket where this page was full, else in the one before it.
pub(super) fn next_page(bucket: i32, found: &[Vec<u8>]) -> Option<Cursor> {
    let next = match found.last().filter(|_| found.len() >= ROWS_PER_STEP) {
        Some(last) => Some(Start { bucket, place: last.clone() }),
        None => bucket.checked_sub(1).map(|bucket| Start { bucket, place: Vec::new() }),
    };
    next.map(|next| next.cursor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_still_come_in_is_recent() {
        let now: Timestamp = "2026-01-03T12:00:00Z".parse().expect("a time");
        let day = day_of(now);
        assert!(
            is_recent(CALLS, day, now) && is_recent(CALLS, day - 8, now) && is_recent(CALLS, day + 1, now)
        );
        assert!(!is_recent(CALLS, day - 9, now));
        let month = month_of(now);
        assert!(is_recent(MESSAGES, month - 1, now) && !is_recent(MESSAGES, month - 2, now));
    }
}
