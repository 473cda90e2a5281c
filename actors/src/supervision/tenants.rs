//! The tenants' supervisor: one actor per tenant, started by its first call, started again when it fails.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use crate::call::brain::playbook::phrases;
use crate::chance::Chance;
use crate::clock::ms;
use crate::directory::{Directory, TenantRef};
use crate::integrations::{self, Integration};
use crate::tenant::{self, Live, TenantActor};
use crate::types::{Business, TenantId};

/// The handler; all state is in [`State`].
pub(super) struct Tenants;

/// What it is told.
pub(super) enum Message {
    /// Start this tenant's actor, unless it runs already.
    Start { business: Box<Business>, reply: RpcReplyPort<TenantRef> },
    /// Start it again.
    Restart(Arc<Live>),
}

/// What it starts with.
#[derive(Clone)]
pub(super) struct Arguments {
    pub(super) directory: Arc<Directory>,
    pub(super) integrations: Arc<[Arc<dyn Integration>]>,
    pub(super) settings: Arc<integrations::Settings>,
    pub(super) chance: Chance,
}

pub(super) struct State {
    with: Arguments,
    by_actor: HashMap<ActorId, TenantId>,
}

#[async_trait]
impl Actor for Tenants {
    type Msg = Message;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Message>,
        with: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { with, by_actor: HashMap::new() })
    }

    async fn post_start(
        &self,
        myself: ActorRef<Message>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // After a failure of this actor itself its tenants are taken up again, with their calls' count.
        for tenant in state.with.directory.tenants() {
            state.start(&myself, tenant.live).await?;
        }
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Start { business, reply } => {
                let tenant = match state.with.directory.tenant(&business.id) {
                    Some(tenant) => tenant,
                    None => state.start(&myself, Arc::new(Live::new(Arc::from(business), phrases))).await?,
                };
                // The call that asked may have given up.
                let _ = reply.send(tenant);
            }
            Message::Restart(live) => {
                state.start(&myself, live).await?;
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (SupervisionEvent::ActorFailed(cell, _) | SupervisionEvent::ActorTerminated(cell, _, _)) = event
        else {
            return Ok(());
        };
        let Some(id) = state.by_actor.remove(&cell.get_id()) else { return Ok(()) };
        if let Some(tenant) = state.with.directory.tenant(&id) {
            tracing::error!(tenant_id = %id, "tenant failed and is started again");
            let wait = ms(state.with.settings.restart_ms);
            myself.send_after(wait, move || Message::Restart(tenant.live));
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Message>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        for tenant in state.by_actor.values() {
            state.with.directory.remove_tenant(tenant);
        }
        let wait = ms(state.with.settings.deadline_ms);
        myself.stop_children_and_wait(None, Some(wait)).await;
        Ok(())
    }
}

impl State {
    async fn start(
        &mut self,
        myself: &ActorRef<Message>,
        live: Arc<Live>,
    ) -> Result<TenantRef, ActorProcessingErr> {
        let arguments = tenant::Arguments {
            live: Arc::clone(&live),
            integrations: Arc::clone(&self.with.integrations),
            settings: Arc::clone(&self.with.settings),
            chance: self.with.chance.clone(),
        };
        let (actor, _) = Actor::spawn_linked(None, TenantActor, arguments, myself.get_cell()).await?;
        self.by_actor.insert(actor.get_id(), live.tenant().clone());
        let tenant = TenantRef { live };
        self.with.directory.set_tenant(tenant.clone());
        Ok(tenant)
    }
}
