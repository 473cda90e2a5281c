//! What tool calls came to, and the probe.

use super::Scylla;
use super::cql::Statement;
use super::events::DAY_SECONDS;
use crate::storage::ordered::{decode, encode};
use crate::storage::{Error, IdempotencyKey, Result};
use crate::types::ToolOutcome;

pub(super) const OUTCOME: &str = "tool outcome";

/// The partition of a tool call's key: its call's, which keys begin with.
pub(super) fn scope(key: &IdempotencyKey) -> &str {
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
