//! The states of live calls, newest version first come.

use super::Full;
use super::expiring::Expiring;
use crate::storage::coordination::{CheckpointWrite, VersionedState};
use crate::types::CallId;

/// What is known of a call's state.
#[derive(Debug)]
enum Kept {
    State(VersionedState),
    /// All up to this version are forgotten.
    Forgotten(u64),
}

impl Kept {
    const fn version(&self) -> u64 {
        match self {
            Self::State(state) => state.version,
            Self::Forgotten(version) => *version,
        }
    }
}

/// What calls were doing.
#[derive(Debug)]
pub(in crate::storage::coordination) struct Checkpoints(Expiring<CallId, Kept>);

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
        match self.0.get(now_ms, &call).map(Kept::version) {
            Some(kept) if kept > state.version => Ok(CheckpointWrite::Stale { kept }),
            _ => self.0.put(now_ms, call, Kept::State(state), ttl_ms).map(|()| CheckpointWrite::Written),
        }
    }

    pub(in crate::storage::coordination) fn get(&self, now_ms: u64, call: CallId) -> Option<VersionedState> {
        match self.0.get(now_ms, &call)? {
            Kept::State(state) => Some(state.clone()),
            Kept::Forgotten(_) => None,
        }
    }

    /// Forgets a state up to this version, and remembers that for a while, where there is room.
    pub(in crate::storage::coordination) fn forget(
        &mut self,
        now_ms: u64,
        call: CallId,
        version: u64,
        ttl_ms: u64,
    ) {
        if self.0.get(now_ms, &call).is_some_and(|kept| kept.version() > version) {
            return;
        }
        self.0.remove(&call);
        // Where there is none, what is said late may come back until it expires.
        let _ = self.0.put(now_ms, call, Kept::Forgotten(version), ttl_ms);
    }

    pub(in crate::storage::coordination) fn remove(&mut self, call: CallId) {
        self.0.remove(&call);
    }
}
