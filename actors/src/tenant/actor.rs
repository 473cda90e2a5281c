//! The tenant actor: starts its integrations and starts them again when they fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;

use super::{Live, Slots};
use crate::chance::Chance;
use crate::clock::ms;
use crate::integrations::{self, Integration, IntegrationActor, Kind, Settings};

/// The handler; all state is in [`State`].
pub(crate) struct TenantActor;

/// What a tenant actor is told.
pub(crate) enum Message {
    /// Start this integration again.
    Restart(Kind),
}

/// What it starts with.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) live: Arc<Live>,
    pub(crate) integrations: Arc<[Arc<dyn Integration>]>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) chance: Chance,
}

pub(crate) struct State {
    with: Arguments,
    children: BTreeMap<Kind, Child>,
}

/// One integration's life over its restarts.
struct Child {
    with: integrations::Arguments,
    actor: Option<ActorId>,
    failed_at: Option<Instant>,
    wait_ms: u64,
}

#[async_trait]
impl Actor for TenantActor {
    type Msg = Message;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Message>,
        with: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let children = with
            .integrations
            .iter()
            .map(|integration| {
                let arguments = integrations::Arguments {
                    tenant: with.live.tenant().clone(),
                    integration: Arc::clone(integration),
                    in_flight: Arc::new(Slots::default()),
                    settings: Arc::clone(&with.settings),
                    chance: with.chance.clone(),
                };
                let child = Child { with: arguments, actor: None, failed_at: None, wait_ms: 0 };
                (integration.kind(), child)
            })
            .collect();
        Ok(State { with, children })
    }

    async fn post_start(
        &self,
        myself: ActorRef<Message>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let kinds: Vec<Kind> = state.children.keys().copied().collect();
        for kind in kinds {
            state.start(&myself, kind).await;
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
            Message::Restart(kind) => state.start(&myself, kind).await,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(cell, _) | SupervisionEvent::ActorTerminated(cell, _, _) = event
        {
            state.ended(&myself, cell.get_id());
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Message>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        for kind in state.children.keys() {
            state.with.live.set_integration(*kind, None);
        }
        let wait = ms(state.with.settings.deadline_ms);
        myself.stop_children_and_wait(None, Some(wait)).await;
        Ok(())
    }
}

impl State {
    async fn start(&mut self, myself: &ActorRef<Message>, kind: Kind) {
        let Some(child) = self.children.get_mut(&kind) else { return };
        let spawned =
            Actor::spawn_linked(None, IntegrationActor, child.with.clone(), myself.get_cell()).await;
        match spawned {
            Ok((actor, _)) => {
                child.actor = Some(actor.get_id());
                self.with.live.set_integration(kind, Some(actor));
            }
            Err(error) => {
                tracing::error!(tenant_id = %self.with.live.tenant(), integration = kind.name(), %error,
                    "integration did not start");
                self.restart(myself, kind);
            }
        }
    }

    fn ended(&mut self, myself: &ActorRef<Message>, actor: ActorId) {
        let ended = self.children.iter().find(|(_, child)| child.actor == Some(actor));
        if let Some(kind) = ended.map(|(kind, _)| *kind) {
            self.with.live.set_integration(kind, None);
            self.restart(myself, kind);
        }
    }

    /// At once after a long quiet time; after a growing wait where it keeps failing.
    fn restart(&mut self, myself: &ActorRef<Message>, kind: Kind) {
        let (Some(child), settings) = (self.children.get_mut(&kind), &self.with.settings) else { return };
        let now = Instant::now();
        let quiet = child.failed_at.is_none_or(|at| now - at >= ms(settings.restart_max_ms));
        child.wait_ms =
            if quiet { 0 } else { (child.wait_ms * 2).clamp(settings.restart_ms, settings.restart_max_ms) };
        (child.failed_at, child.actor) = (Some(now), None);
        tracing::warn!(tenant_id = %self.with.live.tenant(), integration = kind.name(),
            wait_ms = child.wait_ms, "integration failed and is started again");
        myself.send_after(ms(child.wait_ms), move || Message::Restart(kind));
    }
}
