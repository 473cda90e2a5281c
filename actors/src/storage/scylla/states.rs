//! The states of calls that go on.
//!
//! Each write has a time in the era of its claim (see `claims`), so that a process that has lost its call writes over
//! nothing of its successor's, and brings nothing back that the successor dropped. Within an era one process writes;
//! what it wrote last it knows, so that the next is later whatever the clock says.

use std::collections::HashMap;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::Scylla;
use super::claims::in_era;
use super::cql::Statement;
use super::events::DAY_SECONDS;
use crate::storage::ordered::bound;
use crate::storage::{Fence, Result};
use crate::types::CallId;

pub(super) const CHECKPOINT: &str = "checkpoint";

/// When this process wrote of each call last, by the claim that it wrote by.
#[derive(Debug)]
pub(super) struct States {
    most: usize,
    written: Mutex<HashMap<(CallId, u32), i64>>,
}

impl States {
    pub(super) fn new(most: usize) -> Self {
        Self { most, written: Mutex::default() }
    }

    /// When the next write is made, for the servers.
    fn next(&self, call: CallId, fence: Fence, now: Timestamp) -> i64 {
        let mut written = self.written.lock();
        if written.len() >= self.most.max(1) && !written.contains_key(&(call, fence.claim)) {
            written.clear();
        }
        let own = in_era(fence.started_at, fence.claim, now);
        let last = written.entry((call, fence.claim)).or_insert(i64::MIN);
        *last = own.max(last.saturating_add(1));
        *last
    }

    fn forget(&self, call: CallId, fence: Fence) {
        self.written.lock().remove(&(call, fence.claim));
    }
}

impl Scylla {
    pub(super) async fn put_state(&self, call: CallId, fence: Fence, state: &[u8]) -> Result<()> {
        let at = self.states.next(call, fence, self.cluster.clock.now());
        self.write_state(call, state, Some(at)).await
    }

    /// Keeps a state that another store had. Whatever is written by the same claim comes after it.
    pub(super) async fn import_state(&self, call: CallId, state: &[u8]) -> Result<()> {
        let record = self.call_row(call).await?;
        let at = record.map(|record| in_era(record.started_at, record.claim(), record.started_at));
        self.write_state(call, state, at).await
    }

    async fn write_state(&self, call: CallId, state: &[u8], at: Option<i64>) -> Result<()> {
        let state = bound(CHECKPOINT, state.to_vec())?;
        let seconds = self.cluster.settings.checkpoint_days.saturating_mul(DAY_SECONDS);
        let ttl = i32::try_from(seconds).unwrap_or(i32::MAX);
        self.cluster.write(Statement::PutCheckpoint, (call.as_uuid(), state, ttl), at).await
    }

    pub(super) async fn state(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.cluster.row(Statement::Checkpoint, (call.as_uuid(),)).await?;
        Ok(row.and_then(|(state,)| state))
    }

    pub(super) async fn drop_state(&self, call: CallId, fence: Fence) -> Result<()> {
        let at = self.states.next(call, fence, self.cluster.clock.now());
        self.cluster.write(Statement::DropCheckpoint, (call.as_uuid(),), Some(at)).await?;
        self.states.forget(call, fence);
        Ok(())
    }

    /// Forgets a state, whoever kept it; whether there was one.
    pub(super) async fn erase_state(&self, call: CallId) -> Result<bool> {
        let row: Option<(Option<Vec<u8>>, Option<i64>)> =
            self.cluster.row(Statement::CheckpointAndTime, (call.as_uuid(),)).await?;
        let Some((Some(_), written_us)) = row else { return Ok(false) };
        let now_us = self.cluster.clock.now().as_microsecond();
        // An era may lie ahead of the clock: a call that was claimed is written later than it is.
        let at = written_us.map_or(now_us, |written| now_us.max(written.saturating_add(1)));
        self.cluster.write(Statement::DropCheckpoint, (call.as_uuid(),), Some(at)).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::conformance::at;

    #[test]
    fn a_state_is_written_after_the_one_before_and_never_into_a_later_claim() {
        let (states, call) = (States::new(2), CallId::default());
        let of = |claim| Fence { started_at: at(0), claim };
        let first = states.next(call, of(0), at(2));
        assert_eq!(states.next(call, of(0), at(1)), first + 1, "the clock went back");
        let claimed = states.next(call, of(1), at(2));
        assert!(claimed > first + 1_000_000);
        // What waited of an earlier claim stays in its era, also in the process that claimed the call.
        assert!(states.next(call, of(0), at(900)) < claimed);
        states.forget(call, of(1));
        assert_eq!(states.next(call, of(1), at(2)), claimed);
        for number in 1..9 {
            states.next(CallId::new(uuid::Uuid::from_u128(number)), of(0), at(1));
        }
        assert!(states.written.lock().len() <= 2);
    }
}
