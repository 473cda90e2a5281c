//! The states of live calls, newest version first come.

use super::Full;
use super::expiring::Expiring;
use crate::storage::coordination::{CheckpointWrite, VersionedState};
use crate::types::CallId;

/// What calls were doing.
#[derive(Debug)]
pub(in crate::storage::coordination) struct Checkpoints(Expiring<CallId, VersionedState>);

impl Checkpoints {
    pub(in crate::storage::coordination) const fn new(max: usize) -> Self {
        Self(Expiring::new(max))
    }

    /// Keeps a state, unless a newer one is kept. The same version again replaces: it is the same writer.
    pub(in crate::storage::coordination) fn put(
        &mut self,
        now_ms: u64,
        call: CallId,
        state: VersionedState,
        ttl_ms: u64,
    ) -> Result<CheckpointWrite, Full> {
        match self.0.get(now_ms, &call) {
            Some(kept) if kept.version > state.version => Ok(CheckpointWrite::Stale { kept: kept.version }),
            _ => self.0.put(now_ms, call, state, ttl_ms).map(|()| CheckpointWrite::Written),
        }
    }

    pub(in crate::storage::coordination) fn get(&self, now_ms: u64, call: CallId) -> Option<VersionedState> {
        self.0.get(now_ms, &call).cloned()
    }

    pub(in crate::storage::coordination) fn remove(&mut self, call: CallId) {
        self.0.remove(&call);
    }
}
