//! The handle that calls and their reception have.

use std::sync::Arc;

use jiff::Timestamp;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::pending::Pending;
use super::{Place, refresh, write};
use crate::call::settings::SharingSettings;
use crate::clock::ms;
use crate::metrics::{ADMISSIONS, SHARING_LOST, SHARING_WAITING};
use crate::storage::coordination::{Admission, Coordination, NodeRun};
use crate::types::{CallId, Life, TenantId};

/// Tells the other nodes of this one's calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sharing {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) coordination: Arc<dyn Coordination>,
    pub(super) life: Life,
    pub(super) node: NodeRun,
    pub(super) settings: SharingSettings,
    pub(super) pending: Mutex<Pending>,
    /// There is something to tell.
    pub(super) work: Notify,
    /// Something was told.
    pub(super) told: Notify,
}

/// The tasks behind a [`Sharing`]; dropped, they end.
pub(crate) struct Tasks(#[allow(dead_code, reason = "it is held")] JoinSet<()>);

impl Sharing {
    /// Starts telling. Needs a tokio runtime.
    pub(crate) fn start(
        coordination: Arc<dyn Coordination>,
        life: Life,
        settings: SharingSettings,
    ) -> (Self, Tasks) {
        let pending = Mutex::new(Pending::new(settings.calls_max));
        let writers = settings.writers.max(1);
        let (work, told) = (Notify::new(), Notify::new());
        let node = NodeRun::from(&life);
        let inner = Arc::new(Inner { coordination, life, node, settings, pending, work, told });
        let mut tasks = JoinSet::new();
        for _ in 0..writers {
            tasks.spawn(write::run(Arc::clone(&inner)));
        }
        tasks.spawn(refresh::run(Arc::clone(&inner)));
        (Self { inner }, Tasks(tasks))
    }

    /// Which process this is.
    pub(crate) fn life(&self) -> &Life {
        &self.inner.life
    }

    /// A place for a call among its tenant's on all nodes; `Err` where there is none. Where that can't be known
    /// soon the call gets one: a call is never refused because the others can't be asked.
    pub(crate) async fn admit(&self, tenant: &TenantId, call: CallId, limit: u32) -> Result<Place, ()> {
        let settings = &self.inner.settings;
        let asked = self.inner.coordination.admit(tenant, call, limit, settings.place_ms);
        let by = match timeout(ms(settings.admission_ms), asked).await {
            Ok(Ok(Admission::Granted { .. })) => "all",
            Ok(Ok(Admission::Full { .. })) => {
                counter!(ADMISSIONS, "by" => "all", "answer" => "full").increment(1);
                return Err(());
            }
            Ok(Err(error)) => {
                tracing::debug!(call_id = %call, %error, "admitted without asking the other nodes");
                "this_node"
            }
            Err(_) => {
                tracing::debug!(call_id = %call, "admitted without an answer of the other nodes");
                "this_node"
            }
        };
        counter!(ADMISSIONS, "by" => by, "answer" => "granted").increment(1);
        self.change(|pending| count_lost(pending.admitted(call, tenant)));
        Ok(Place { sharing: self.clone(), call })
    }

    /// A call has begun.
    pub(crate) fn began(&self, call: CallId, tenant: &TenantId, since: Timestamp) {
        self.change(|pending| count_lost(pending.began(call, tenant, since)));
    }

    /// A call has a newer state; `version` grows with them.
    pub(crate) fn checkpoint(&self, call: CallId, version: u64, state: &[u8]) {
        self.change(|pending| pending.state(call, (version, state.into())));
    }

    /// A call's place is free.
    pub(super) fn left(&self, call: CallId) {
        self.change(|pending| pending.left(call));
    }

    /// A call is over.
    pub(crate) fn ended(&self, call: CallId) {
        self.change(|pending| pending.ended(call));
    }

    /// Waits until all is told that can be, but not for long.
    pub(crate) async fn settle(&self) {
        let settled = async {
            loop {
                let told = self.inner.told.notified();
                if self.inner.pending.lock().is_settled() {
                    break;
                }
                told.await;
            }
        };
        if timeout(ms(self.inner.settings.settle_ms), settled).await.is_err() {
            tracing::warn!("the other nodes were not told of every call's end; what they know expires");
        }
    }

    fn change(&self, change: impl FnOnce(&mut Pending)) {
        let waiting = {
            let mut pending = self.inner.pending.lock();
            change(&mut pending);
            pending.waiting()
        };
        gauge!(SHARING_WAITING).set(waiting as f64);
        self.inner.work.notify_one();
    }
}

fn count_lost(kept: bool) {
    if !kept {
        counter!(SHARING_LOST).increment(1);
    }
}
