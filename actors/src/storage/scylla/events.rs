//! Calls' events.

use scylla::value::CqlValue;

use super::Scylla;
use super::cql::Statement;
use crate::storage::Result;
use crate::storage::ordered::{decode, encode};
use crate::types::{CallEvent, CallId};

pub(super) const EVENT: &str = "call event";
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
}
