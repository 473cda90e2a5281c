//! The root of the tree: starts its two branches and starts a branch again that fails.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use super::{calls, tenants};
use crate::clock::ms;

/// The handler; all state is in [`State`].
pub(super) struct Root;

/// The branches as they are now, for those who send to them.
#[derive(Clone, Default)]
pub(super) struct Branches {
    inner: Arc<RwLock<Both>>,
}

#[derive(Default)]
struct Both {
    tenants: Option<ActorRef<tenants::Message>>,
    calls: Option<ActorRef<calls::Message>>,
}

impl Branches {
    pub(super) fn tenants(&self) -> Option<ActorRef<tenants::Message>> {
        self.inner.read().tenants.clone()
    }

    pub(super) fn calls(&self) -> Option<ActorRef<calls::Message>> {
        self.inner.read().calls.clone()
    }

    fn cut(&self, branch: ActorId) {
        let both = &mut *self.inner.write();
        both.tenants.take_if(|tenants| tenants.get_id() == branch);
        both.calls.take_if(|calls| calls.get_id() == branch);
    }
}

/// What it starts with.
pub(super) struct Arguments {
    pub(super) branches: Branches,
    pub(super) tenants: tenants::Arguments,
    pub(super) calls: calls::Arguments,
    /// How long stopping waits for each branch, in milliseconds.
    pub(super) stop_ms: u64,
}

/// What the root is told.
pub(super) enum Message {
    /// Start the branches.
    Grow(RpcReplyPort<()>),
}

#[async_trait]
impl Actor for Root {
    type Msg = Message;
    type State = Arguments;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Message>,
        with: Arguments,
    ) -> Result<Arguments, ActorProcessingErr> {
        Ok(with)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut Arguments,
    ) -> Result<(), ActorProcessingErr> {
        let Message::Grow(grown) = message;
        state.grow(&myself).await?;
        let _ = grown.send(());
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut Arguments,
    ) -> Result<(), ActorProcessingErr> {
        let (SupervisionEvent::ActorFailed(cell, _) | SupervisionEvent::ActorTerminated(cell, _, _)) = event
        else {
            return Ok(());
        };
        tracing::error!("a branch of the supervision tree failed and is started again");
        state.branches.cut(cell.get_id());
        state.grow(&myself).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Message>,
        state: &mut Arguments,
    ) -> Result<(), ActorProcessingErr> {
        let calls = state.branches.calls();
        *state.branches.inner.write() = Both::default();
        // Calls first: what they still ask of their tenants is then answered.
        if let Some(calls) = calls {
            let _ = calls.stop_and_wait(None, Some(ms(state.stop_ms))).await;
        }
        myself.stop_children_and_wait(None, Some(ms(state.stop_ms))).await;
        Ok(())
    }
}

impl Arguments {
    /// Starts the branches that are missing.
    async fn grow(&mut self, myself: &ActorRef<Message>) -> Result<(), ActorProcessingErr> {
        if self.branches.tenants().is_none() {
            let arguments = self.tenants.clone();
            let spawned = Actor::spawn_linked(None, tenants::Tenants, arguments, myself.get_cell());
            self.branches.inner.write().tenants = Some(spawned.await?.0);
        }
        if self.branches.calls().is_none() {
            let spawned = Actor::spawn_linked(None, calls::Calls, self.calls.clone(), myself.get_cell());
            self.branches.inner.write().calls = Some(spawned.await?.0);
        }
        Ok(())
    }
}
