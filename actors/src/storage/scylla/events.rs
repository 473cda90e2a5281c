//! Calls' events and the states of those that go on.

use scylla::value::CqlValue;

use super::Scylla;
use super::cql::Statement;
use crate::storage::Result;
use crate::storage::ordered::{bound, decode, encode};
use crate::types::{CallEvent, CallId};

pub(super) const EVENT: &str = "call event";
pub(super) const CHECKPOINT: &str = "checkpoint";
/// A day, in seconds.
pub(super) const DAY_SECONDS: u32 = 86_400;

impl Scylla {
    /// Events that are there are left as they are. A call has one writer at a time, so looking first is enough.
    pub(super) async fn append_event_rows(&self, call: CallId, events: &[CallEvent]) -> Result<()> {
        let (Some(first), Some(last)) =
            (events.iter().map(|event| event.seq).min(), events.iter().map(|event| event.seq).max())
        else {
            return Ok(());
        };
        let id = call.as_uuid();
        let mut values = Vec::with_capacity(events.len());
        for event in events {
            values.push((event.seq, encode(EVENT, event)?));
        }
        let range = (id, i64::from(first), i64::from(last));
        let there = self.cluster.rows::<(i64,)>(Statement::EventSeqs, range, usize::MAX);
        let (ttl, there) = tokio::try_join!(self.events_ttl(call), there)?;
        let mut seen: std::collections::HashSet<i64> = there.into_iter().map(|(seq,)| seq).collect();
        values.retain(|(seq, _)| seen.insert(i64::from(*seq)));
        if values.len() == 1
            && let Some((seq, value)) = values.pop()
        {
            return self.cluster.write(Statement::PutEvent, (id, i64::from(seq), value, ttl), None).await;
        }
        let rows: Vec<_> = values
            .into_iter()
            .map(|(seq, value)| {
                vec![
                    Some(CqlValue::Uuid(id)),
                    Some(CqlValue::BigInt(i64::from(seq))),
                    Some(CqlValue::Blob(value)),
                    Some(CqlValue::Int(ttl)),
                ]
            })
            .collect();
        if rows.is_empty() { Ok(()) } else { self.cluster.write_together(Statement::PutEvent, rows).await }
    }

    pub(super) async fn event_rows(&self, call: CallId) -> Result<Vec<CallEvent>> {
        let rows: Vec<(Vec<u8>,)> =
            self.cluster.rows(Statement::Events, (call.as_uuid(),), usize::MAX).await?;
        rows.iter().map(|(value,)| decode(EVENT, value)).collect()
    }

    pub(super) async fn put_state(&self, call: CallId, state: &[u8]) -> Result<()> {
        let state = bound(CHECKPOINT, state.to_vec())?;
        let seconds = self.cluster.settings.checkpoint_days.saturating_mul(DAY_SECONDS);
        let ttl = i32::try_from(seconds).unwrap_or(i32::MAX);
        self.cluster.write(Statement::PutCheckpoint, (call.as_uuid(), state, ttl), None).await
    }

    pub(super) async fn state(&self, call: CallId) -> Result<Option<Vec<u8>>> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.cluster.row(Statement::Checkpoint, (call.as_uuid(),)).await?;
        Ok(row.and_then(|(state,)| state))
    }

    pub(super) async fn drop_state(&self, call: CallId) -> Result<()> {
        self.cluster.write(Statement::DropCheckpoint, (call.as_uuid(),), None).await
    }
}
