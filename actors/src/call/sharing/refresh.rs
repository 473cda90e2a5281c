//! Prolongs what the other nodes know of this one's calls, so that only a dead node's entries expire.

use std::sync::Arc;

use tokio::time::sleep;

use super::share::Inner;
use super::write::again;
use crate::clock::ms;
use crate::storage::coordination::LiveCall;

/// Prolongs for ever.
pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        sleep(ms(inner.settings.refresh_ms.max(1))).await;
        inner.refresh_places().await;
        inner.refresh_entries().await;
        if inner.pending.lock().retry() > 0 {
            inner.work.notify_one();
        }
    }
}

impl Inner {
    async fn refresh_places(&self) {
        let by_tenant = self.pending.lock().places();
        for (tenant, calls) in by_tenant {
            let held = self.coordination.hold_places(&tenant, &calls, self.settings.place_ms).await;
            // Those that left meanwhile may have been given a place again after they had left it.
            for call in calls {
                let stays = self.pending.lock().has_place(call);
                if !stays {
                    again(self.coordination.leave(&tenant, call).await, |()| {});
                }
            }
            if again(held, |()| {}) {
                // What can't be told now is told with the next refresh.
                return;
            }
        }
    }

    async fn refresh_entries(&self) {
        let live: Vec<LiveCall> = {
            let listed = self.pending.lock().listed();
            let node = |(call, tenant, since)| LiveCall { call, node: self.node.clone(), tenant, since };
            listed.into_iter().map(node).collect()
        };
        let put = self.coordination.put_calls(&live, self.settings.entry_ms).await;
        again(put, |others| {
            for call in others {
                tracing::error!(call_id = %call, "another node has claimed a call that goes on here");
            }
        });
        for call in live.into_iter().map(|live| live.call) {
            let stays = self.pending.lock().is_listed(call);
            if !stays {
                again(self.coordination.remove_call(call, &self.node).await, |()| {});
            }
        }
    }
}
