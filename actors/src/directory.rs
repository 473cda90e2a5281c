//! Who is where: live calls by id, tenants by id and by number. Read by many, written by supervision alone.
//!
//! A reference is the same whether what it names is on this node or (later) on another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use ractor::{ActorId, ActorRef};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::call::{self, Case, Snapshot};
use crate::tenant::Live;
use crate::types::{CallId, PhoneNumber, TenantId};

/// A live call.
#[derive(Clone)]
pub struct CallRef {
    pub(crate) actor: ActorRef<call::Message>,
    pub(crate) case: Arc<Case>,
}

impl CallRef {
    /// Which call.
    #[must_use]
    pub fn call(&self) -> CallId {
        self.case.call
    }

    /// Whose.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        self.case.tenant.tenant()
    }

    /// The call as it is now; `None` where it ended or did not answer in time.
    pub async fn snapshot(&self, timeout: Duration) -> Option<Snapshot> {
        match self.actor.call(call::Message::Snapshot, Some(timeout)).await {
            Ok(ractor::rpc::CallResult::Success(snapshot)) => Some(snapshot),
            _ => None,
        }
    }
}

/// A tenant whose actor runs here.
#[derive(Clone)]
pub struct TenantRef {
    pub(crate) live: Arc<Live>,
}

impl TenantRef {
    /// The tenant's live state, read without its mailbox.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }
}

/// Who is where on one node.
pub(crate) struct Directory {
    calls: RwLock<Calls>,
    calls_live: watch::Sender<usize>,
    tenants: RwLock<BTreeMap<TenantId, TenantRef>>,
    numbers: RwLock<HashMap<PhoneNumber, Number>>,
}

#[derive(Default)]
struct Calls {
    /// Ordered, so that all calls are told of something in the same order each time.
    by_id: BTreeMap<CallId, CallRef>,
    by_actor: HashMap<ActorId, CallId>,
}

/// Whose a number is, and when the store last said so.
#[derive(Clone)]
pub(crate) struct Number {
    pub(crate) tenant: TenantId,
    pub(crate) checked_at: Instant,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            calls: RwLock::default(),
            calls_live: watch::Sender::new(0),
            tenants: RwLock::default(),
            numbers: RwLock::default(),
        }
    }
}

impl Directory {
    /// Adds a call; `false` where its id is taken already.
    pub(crate) fn add_call(&self, call: CallRef) -> bool {
        let calls = &mut *self.calls.write();
        if calls.by_id.contains_key(&call.call()) {
            return false;
        }
        calls.by_actor.insert(call.actor.get_id(), call.call());
        calls.by_id.insert(call.call(), call);
        self.calls_live.send_replace(calls.by_id.len());
        true
    }

    /// Takes out the call of this actor.
    pub(crate) fn take_call_of(&self, actor: ActorId) -> Option<CallRef> {
        let calls = &mut *self.calls.write();
        let id = calls.by_actor.remove(&actor)?;
        let call = calls.by_id.remove(&id);
        self.calls_live.send_replace(calls.by_id.len());
        call
    }

    /// Takes out a call whose actor never ran. Another call with its id stays.
    pub(crate) fn take_case(&self, case: &Arc<Case>) {
        let calls = &mut *self.calls.write();
        if let Some(call) = calls.by_id.get(&case.call).filter(|call| Arc::ptr_eq(&call.case, case)) {
            calls.by_actor.remove(&call.actor.get_id());
            calls.by_id.remove(&case.call);
            self.calls_live.send_replace(calls.by_id.len());
        }
    }

    pub(crate) fn call(&self, id: CallId) -> Option<CallRef> {
        self.calls.read().by_id.get(&id).cloned()
    }

    pub(crate) fn calls(&self) -> Vec<CallRef> {
        self.calls.read().by_id.values().cloned().collect()
    }

    pub(crate) fn calls_live(&self) -> usize {
        *self.calls_live.borrow()
    }

    /// Waits until no call is left.
    pub(crate) async fn no_calls(&self) {
        // The sender lives as long as `self`, so that this can only end by the count.
        let _ = self.calls_live.subscribe().wait_for(|count| *count == 0).await;
    }

    pub(crate) fn set_tenant(&self, tenant: TenantRef) {
        self.tenants.write().insert(tenant.live.tenant().clone(), tenant);
    }

    pub(crate) fn remove_tenant(&self, tenant: &TenantId) {
        self.tenants.write().remove(tenant);
    }

    pub(crate) fn tenant(&self, id: &TenantId) -> Option<TenantRef> {
        self.tenants.read().get(id).cloned()
    }

    pub(crate) fn tenants(&self) -> Vec<TenantRef> {
        self.tenants.read().values().cloned().collect()
    }

    pub(crate) fn number(&self, number: &PhoneNumber) -> Option<Number> {
        self.numbers.read().get(number).cloned()
    }

    pub(crate) fn set_number(&self, number: PhoneNumber, owner: Option<Number>) {
        let mut numbers = self.numbers.write();
        match owner {
            Some(owner) => numbers.insert(number, owner),
            None => numbers.remove(&number),
        };
    }

    /// Has every number of this tenant looked up again at its next call.
    pub(crate) fn forget_numbers_of(&self, tenant: &TenantId) {
        self.numbers.write().retain(|_, number| number.tenant != *tenant);
    }
}
