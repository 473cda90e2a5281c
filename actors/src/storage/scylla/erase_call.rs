//! Erasing a call: everything under its id, its record last, so that what was cut short is begun again.

use super::Scylla;
use super::calls::{caller, day_of, place};
use super::cql::Statement;
use super::messages;
use super::outcomes::scope;
use crate::storage::ordered::{decode, erase_written};
use crate::storage::{Erased, Erasure, Error, Extent, IdempotencyKey, Result};
use crate::types::{CallEventKind, CallId, CallRecord, Message, RecordingId};

impl Scylla {
    pub(super) async fn erase_call_rows(&self, call: CallId, extent: Extent) -> Result<Erasure> {
        let record = self.call_row(call).await?;
        if record.as_ref().is_some_and(|record| record.ended_at.is_none()) {
            return Ok(Erasure { live: 1, ..Erasure::default() });
        }
        let mut erased = Erased::default();
        for recording in self.recordings_of(call, record.as_ref()).await? {
            erased.recordings += u64::from(self.erase_recording(recording).await?);
        }
        if let Some(record) = &record {
            let written = self.decide(&record.tenant, Vec::new(), |rows| {
                let mut erased = Erased::default();
                erase_written(rows, record, extent, &mut erased).map(|()| erased)
            });
            erased += written.await?;
            erased.messages += self.erase_messages(record).await?;
        }
        erased.outcomes += self.erase_outcomes(call).await?;
        erased.events += self.erase_events(call).await?;
        erased.checkpoints += u64::from(self.erase_state(call).await?);
        if let Some(record) = &record {
            self.erase_record(record).await?;
            erased.calls += 1;
        }
        let calls = record.map(|record| record.id).into_iter().collect();
        Ok(Erasure { erased, calls, ..Erasure::default() })
    }

    /// The call's recordings: a call that died knows its own only by an event. One event that can't be read must
    /// not keep all others.
    async fn recordings_of(&self, call: CallId, record: Option<&CallRecord>) -> Result<Vec<RecordingId>> {
        let mut found: Vec<RecordingId> = record.and_then(|record| record.recording).into_iter().collect();
        for value in self.raw_events(call).await? {
            if let Ok(event) = decode::<crate::types::CallEvent>(super::events::EVENT, &value)
                && let CallEventKind::RecordingStarted { recording, .. } = event.kind
                && !found.contains(&recording)
            {
                found.push(recording);
            }
        }
        Ok(found)
    }

    /// A call's events as they are kept.
    pub(super) async fn raw_events(&self, call: CallId) -> Result<Vec<Vec<u8>>> {
        let rows: Vec<(Vec<u8>,)> =
            self.cluster.rows(Statement::Events, (call.as_uuid(),), usize::MAX).await?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    async fn erase_messages(&self, record: &CallRecord) -> Result<u64> {
        let key = (record.tenant.as_str(), record.id.to_string());
        let found: Vec<(String, Vec<u8>)> =
            self.cluster.rows(Statement::MessagesOfScope, key, usize::MAX).await?;
        let mut count = 0;
        for (key, value) in found {
            let message: Message = decode(messages::WHAT, &value)?;
            count += u64::from(self.erase_message(&message, &IdempotencyKey(key)).await?);
        }
        Ok(count)
    }

    /// The listing first: what is left of one that was cut short is found by its key.
    pub(super) async fn erase_message(&self, message: &Message, key: &IdempotencyKey) -> Result<bool> {
        let tenant = message.tenant.as_str();
        self.unlist_message(message).await?;
        self.drop_for_sure(Statement::DropMessageKey, (tenant, scope(key), key.0.as_str())).await
    }

    async fn erase_outcomes(&self, call: CallId) -> Result<u64> {
        let scope = call.to_string();
        let found: Vec<(String,)> =
            self.cluster.rows(Statement::OutcomesOfScope, (scope.as_str(),), usize::MAX).await?;
        let mut count = 0;
        for (key,) in found {
            let dropped = self.drop_for_sure(Statement::DropOutcome, (scope.as_str(), key));
            count += u64::from(dropped.await?);
        }
        Ok(count)
    }

    async fn erase_events(&self, call: CallId) -> Result<u64> {
        let all = (call.as_uuid(), 0_i64, i64::MAX);
        let there: Vec<(i64,)> = self.cluster.rows(Statement::EventSeqs, all, usize::MAX).await?;
        if there.is_empty() {
            return Ok(0);
        }
        self.cluster.write(Statement::DropEvents, (call.as_uuid(),), None).await?;
        // A deletion wins by its time. Where this clock is behind the writer's, it has to be done again.
        let left: Vec<(i64,)> = self.cluster.rows(Statement::EventSeqs, all, 1).await?;
        if left.is_empty() {
            return Ok(there.len() as u64);
        }
        Err(Error::Unavailable { why: "this node's clock is behind; erase again in a moment".to_owned() })
    }

    async fn erase_record(&self, record: &CallRecord) -> Result<()> {
        let id = record.id.as_uuid();
        let written: Option<(Option<Vec<u8>>, Option<i64>)> =
            self.cluster.row(Statement::CallAndTime, (id,)).await?;
        let now_us = self.cluster.clock.now().as_microsecond();
        let written_us = written.and_then(|(_, written)| written);
        let at = Some(written_us.map_or(now_us, |written| now_us.max(written.saturating_add(1))));
        self.close_call(record, at).await?;
        let tenant = record.tenant.as_str();
        if let Some(caller) = caller(record) {
            self.cluster.write(Statement::DropCallByCaller, (tenant, caller, place(record)), at).await?;
        }
        self.forget_claims(record.id).await?;
        self.cluster.write(Statement::DropCall, (id,), at).await?;
        // By its day the record is found where this is begun again; without it the entry names nobody.
        let values = (tenant, day_of(record.started_at), place(record));
        self.cluster.write(Statement::DropCallByDay, values, at).await
    }
}
