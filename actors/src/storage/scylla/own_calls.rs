//! Calls that this process began or took over and that go on: what the listings say of each, and when it was written
//! last. With that nothing needs to be looked at before the next write: whether another process has the call by now
//! is asked at the same time, since a write that lost its call lies in an earlier era (see `claims`).

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::Scylla;
use super::calls::{WHAT, caller};
use super::claims::{check_holder, time_of};
use super::cql::Statement;
use crate::storage::Result;
use crate::storage::ordered::{decode, encode};
use crate::types::{CallId, CallRecord, Holder, TenantId};

/// Entries of calls that are over which are dropped at once behind their callers' backs.
const CLOSING_MAX: usize = 256;

type TenantAndValue = (Option<String>, Option<Vec<u8>>);

/// What of a call's record the listings follow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    tenant: TenantId,
    started_at: Timestamp,
    caller: Option<String>,
    held_by: Option<Holder>,
}

impl Listed {
    pub(super) fn of(record: &CallRecord) -> Self {
        Self {
            tenant: record.tenant.clone(),
            started_at: record.started_at,
            caller: caller(record).map(str::to_owned),
            held_by: record.held_by.clone(),
        }
    }
}

#[derive(Debug)]
struct Own {
    listed: Listed,
    at_us: i64,
}

/// Those calls. One that is forgotten costs a look at its row, no more.
#[derive(Debug)]
pub(super) struct OwnCalls {
    most: usize,
    calls: Mutex<HashMap<CallId, Own>>,
    closing: Arc<Semaphore>,
}

impl OwnCalls {
    pub(super) fn new(most: usize) -> Self {
        Self { most, calls: Mutex::default(), closing: Arc::new(Semaphore::new(CLOSING_MAX)) }
    }

    /// A call was written at this time.
    pub(super) fn note(&self, record: &CallRecord, at_us: Option<i64>) {
        let mut calls = self.calls.lock();
        let Some(at_us) = at_us.filter(|_| record.ended_at.is_none()) else {
            calls.remove(&record.id);
            return;
        };
        if calls.len() >= self.most.max(1) {
            calls.clear();
        }
        calls.insert(record.id, Own { listed: Listed::of(record), at_us });
    }

    /// When a call is to be written next, where this process wrote it last and the listings say the same.
    fn next(&self, record: &CallRecord, now: Timestamp) -> Option<i64> {
        let mut calls = self.calls.lock();
        let own = calls.get_mut(&record.id).filter(|own| own.listed == Listed::of(record))?;
        own.at_us = time_of(record, now, Some(own.at_us));
        Some(own.at_us)
    }

    fn forget(&self, call: CallId) {
        self.calls.lock().remove(&call);
    }
}

impl Scylla {
    /// Writes a call that this process wrote last, and whether it was one.
    pub(super) async fn put_own_call(&self, record: &CallRecord) -> Result<bool> {
        let Some(at) = self.own_calls.next(record, self.cluster.clock.now()) else { return Ok(false) };
        let (id, value) = (record.id.as_uuid(), encode(WHAT, record)?);
        let there = self.cluster.row(Statement::CallAndTenant, (id,));
        let put = self.cluster.write(Statement::PutCallValue, (id, value.as_slice()), Some(at));
        let (there, ()): (Option<TenantAndValue>, ()) = tokio::try_join!(there, put)?;
        // The business is written with the first row only: without it that is gone, and the listings with it.
        let Some((Some(_), Some(there))) = there else {
            self.own_calls.forget(record.id);
            let again = |now, written_us| time_of(record, now, written_us);
            let at = self.write_call(record, None, Some(at), again).await?;
            self.own_calls.note(record, at);
            return Ok(true);
        };
        if let Err(lost) = check_holder(Some(&decode(WHAT, &there)?), record) {
            self.own_calls.forget(record.id);
            return Err(lost);
        }
        if record.ended_at.is_some() {
            self.own_calls.forget(record.id);
            self.close_behind(record, at).await?;
        }
        Ok(true)
    }

    /// Drops the entry of a call that is over, and waits for that only where many wait already: whoever reads an
    /// entry looks at the call, and one that stays goes by itself in time.
    async fn close_behind(&self, record: &CallRecord, at: i64) -> Result<()> {
        let Ok(permit) = Arc::clone(&self.own_calls.closing).try_acquire_owned() else {
            return self.close_call(record, Some(at)).await;
        };
        let (cluster, values) = (Arc::clone(&self.cluster), super::open_calls::entry(record));
        tokio::spawn(async move {
            if let Err(error) = cluster.write(Statement::DropOpenCall, values, Some(at)).await {
                tracing::debug!(%error, "the entry of a call that is over stays for a while");
            }
            drop(permit);
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::conformance::{at, call};
    use crate::types::Life;

    #[test]
    fn an_own_call_s_next_write_is_later_whatever_the_clock_says() {
        let own = OwnCalls::new(2);
        let begun = CallRecord { ended_at: None, ..call("barbers", 1, 0) };
        assert_eq!(own.next(&begun, at(0)), None, "nobody wrote it");
        let first = time_of(&begun, at(2), None);
        own.note(&begun, Some(first));
        let over = CallRecord { ended_at: Some(at(1)), ..begun.clone() };
        assert_eq!(own.next(&over, at(1)), Some(first + 1), "the clock went back");
        assert_eq!(own.next(&over, at(1)), Some(first + 2), "and again");
        assert_eq!(own.next(&over, at(9)), Some(time_of(&over, at(9), None)));
        let taken = CallRecord { held_by: Some(Holder::first(Life::new("rome", "1"))), ..over.clone() };
        assert_eq!(own.next(&taken, at(9)), None, "another's is looked at");
        own.note(&over, Some(first));
        assert_eq!(own.next(&over, at(9)), None, "it is over");
        for number in 2..9 {
            own.note(&CallRecord { ended_at: None, ..call("barbers", number, 0) }, Some(0));
        }
        assert!(own.calls.lock().len() <= 2);
    }
}
