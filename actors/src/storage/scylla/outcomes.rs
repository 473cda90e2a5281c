//! What tool calls came to, recordings, keys, and the probe.

use super::Scylla;
use super::cql::Statement;
use super::events::DAY_SECONDS;
use crate::storage::ordered::{decode, encode};
use crate::storage::{Error, IdempotencyKey, Recording, Result};
use crate::types::{RecordingId, TenantId, ToolOutcome};

pub(super) const OUTCOME: &str = "tool outcome";
pub(super) const RECORDING: &str = "recording";
/// The fact's name.
pub(super) const SEALED_KEY: &str = "key of recordings";

/// The partition of a tool call's key: its call's, which keys begin with.
fn scope(key: &IdempotencyKey) -> &str {
    key.0.split('/').next().unwrap_or_default()
}

impl Scylla {
    pub(super) async fn remember(&self, key: &IdempotencyKey, outcome: &ToolOutcome) -> Result<ToolOutcome> {
        let (value, by_key) = (encode(OUTCOME, outcome)?, (scope(key), key.0.as_str()));
        let values = (by_key.0, by_key.1, value, self.keys_ttl());
        let first =
            self.cluster.keep_first(Statement::KeepOutcome, &values, Statement::OutcomeDecided, &by_key);
        first.await?.map_or_else(|| Ok(outcome.clone()), |first| decode(OUTCOME, &first))
    }

    pub(super) async fn recall(&self, key: &IdempotencyKey) -> Result<Option<ToolOutcome>> {
        let row: Option<(Vec<u8>,)> =
            self.cluster.row(Statement::Outcome, (scope(key), key.0.as_str())).await?;
        row.map(|(value,)| decode(OUTCOME, &value)).transpose()
    }

    /// How long keys are known, in seconds.
    pub(super) fn keys_ttl(&self) -> i32 {
        let seconds = self.cluster.settings.keys_days.saturating_mul(DAY_SECONDS);
        i32::try_from(seconds).unwrap_or(i32::MAX)
    }

    pub(super) async fn put_recording_row(&self, recording: &Recording) -> Result<()> {
        let value = encode(RECORDING, recording)?;
        let values = (recording.id.as_uuid(), recording.tenant.as_str(), value);
        self.cluster.write(Statement::PutRecording, values, None).await
    }

    pub(super) async fn recording_row(&self, recording: RecordingId) -> Result<Option<Recording>> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.cluster.row(Statement::Recording, (recording.as_uuid(),)).await?;
        row.and_then(|(value,)| value).map(|value| decode(RECORDING, &value)).transpose()
    }

    pub(super) async fn keep_sealed_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        let by_tenant = (tenant.as_str(), SEALED_KEY);
        let values = (by_tenant.0, by_tenant.1, sealed);
        let first = self.cluster.keep_first(Statement::KeepFact, &values, Statement::FactDecided, &by_tenant);
        Ok(first.await?.unwrap_or_else(|| sealed.to_vec()))
    }

    pub(super) async fn sealed_key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.cluster.row(Statement::Fact, (tenant.as_str(), SEALED_KEY)).await?;
        Ok(row.and_then(|(value,)| value))
    }

    /// Writes a probe of this node's own and reads it.
    pub(super) async fn probe(&self) -> Result<()> {
        let value = self.cluster.clock.now().as_microsecond();
        let ttl = i32::try_from(DAY_SECONDS).unwrap_or(i32::MAX);
        self.cluster.write(Statement::PutProbe, (self.node, value, ttl), None).await?;
        let row: Option<(i64,)> = self.cluster.row(Statement::Probe, (self.node,)).await?;
        match row {
            Some((_,)) => Ok(()),
            None => {
                Err(Error::Corrupt { what: "probe", why: "what was written is not what is read".to_owned() })
            }
        }
    }
}
