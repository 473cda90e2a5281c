//! The directory of calls.

use super::Full;
use super::expiring::Expiring;
use crate::storage::coordination::{LiveCall, NodeRun};
use crate::types::CallId;

/// Who has which call.
#[derive(Debug)]
pub(in crate::storage::coordination) struct Calls(Expiring<CallId, LiveCall>);

impl Calls {
    pub(in crate::storage::coordination) const fn new(max: usize) -> Self {
        Self(Expiring::new(max))
    }

    /// Writes or prolongs an entry; `false` where another node has the call.
    pub(in crate::storage::coordination) fn put(
        &mut self,
        now_ms: u64,
        call: &LiveCall,
        ttl_ms: u64,
    ) -> Result<bool, Full> {
        if self.0.get(now_ms, &call.call).is_some_and(|kept| kept.node != call.node) {
            return Ok(false);
        }
        self.0.put(now_ms, call.call, call.clone(), ttl_ms).map(|()| true)
    }

    pub(in crate::storage::coordination) fn get(&self, now_ms: u64, call: CallId) -> Option<LiveCall> {
        self.0.get(now_ms, &call).cloned()
    }

    pub(in crate::storage::coordination) fn of(
        &self,
        now_ms: u64,
        node: &NodeRun,
        limit: usize,
    ) -> Vec<LiveCall> {
        self.0
            .iter(now_ms)
            .map(|(_, call)| call)
            .filter(|call| call.node == *node)
            .take(limit)
            .cloned()
            .collect()
    }

    /// Moves an entry; `false` where neither has it.
    pub(in crate::storage::coordination) fn claim(
        &mut self,
        now_ms: u64,
        call: CallId,
        from: &NodeRun,
        to: &NodeRun,
        ttl_ms: u64,
    ) -> Result<bool, Full> {
        let kept = self.get(now_ms, call).filter(|kept| kept.node == *from || kept.node == *to);
        let Some(kept) = kept else { return Ok(false) };
        self.0.put(now_ms, call, LiveCall { node: to.clone(), ..kept }, ttl_ms).map(|()| true)
    }

    /// Takes out a call of this node; `false` where another node has it.
    pub(in crate::storage::coordination) fn remove(
        &mut self,
        now_ms: u64,
        call: CallId,
        node: &NodeRun,
    ) -> bool {
        let ours = self.0.get(now_ms, &call).is_none_or(|kept| kept.node == *node);
        if ours {
            self.0.remove(&call);
        }
        ours
    }
}
