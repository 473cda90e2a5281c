//! Tells what waits, one call at a time per writer.

use std::sync::Arc;

use metrics::gauge;

use super::pending::{Todo, Work};
use super::share::Inner;
use crate::metrics::SHARING_WAITING;
use crate::storage::coordination::{CheckpointWrite, Error, LiveCall, Result};

/// Tells for ever.
pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        let asked = inner.work.notified();
        let next = inner.pending.lock().next();
        let Some(work) = next else {
            asked.await;
            continue;
        };
        // A queue that is not empty yet is the next writer's, too.
        inner.work.notify_one();
        let call = work.call;
        let left = inner.tell(work).await;
        let waiting = {
            let mut pending = inner.pending.lock();
            pending.done(call, left);
            pending.waiting()
        };
        gauge!(SHARING_WAITING).set(waiting as f64);
        inner.work.notify_one();
        inner.told.notify_waiters();
    }
}

impl Inner {
    /// Tells of one call; returns what could not be told and should be tried again.
    async fn tell(&self, work: Work) -> Todo {
        let Work { call, tenant, since, todo } = work;
        let (coordination, settings) = (&self.coordination, &self.settings);
        let mut left = Todo::default();
        if let (true, Some(since)) = (todo.list, since) {
            let live = LiveCall { call, node: self.node.clone(), tenant: tenant.clone(), since };
            left.list = again(coordination.put_calls(&[live], settings.entry_ms).await, |others| {
                if !others.is_empty() {
                    tracing::error!(call_id = %call, "another node has a call of this one in the directory");
                }
            });
        }
        if let Some((version, state)) = todo.state {
            let written = coordination.put_checkpoint(call, version, &state, settings.state_ms).await;
            let failed = again(written, |written| {
                if let CheckpointWrite::Stale { kept } = written {
                    tracing::warn!(call_id = %call, version, kept, "a newer state of this call is kept");
                }
            });
            left.state = failed.then_some((version, state));
        }
        if todo.remove {
            left.remove = again(coordination.remove_call(call, &self.node).await, |()| {});
        }
        if todo.leave {
            left.leave = again(coordination.leave(&tenant, call).await, |()| {});
        }
        left
    }
}

/// Whether it should be tried again; what was answered is looked at.
pub(super) fn again<T>(answer: Result<T>, look: impl FnOnce(T)) -> bool {
    match answer {
        Ok(answer) => {
            look(answer);
            false
        }
        Err(Error::Refused { why }) => {
            tracing::warn!(why, "the other nodes can't be told of a call");
            false
        }
        Err(Error::Unavailable { .. } | Error::Unknown { .. }) => true,
    }
}
