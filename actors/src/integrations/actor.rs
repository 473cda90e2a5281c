//! The actor of one tenant's integration: bounds what is under way and guards it by a breaker.

use std::sync::Arc;

use async_trait::async_trait;
use metrics::counter;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use super::attempt::{Health, Settled, settle};
use super::breaker::Breaker;
use super::{Integration, Request, Settings};
use crate::chance::Chance;
use crate::metrics::{BREAKERS_OPENED, INTEGRATIONS_RESTARTED};
use crate::tenant::Slots;
use crate::types::{TenantId, ToolOutcome};

/// The handler; all state is in [`State`].
pub(crate) struct IntegrationActor;

/// What an integration actor is told.
pub(crate) enum Message {
    /// A request. Answered exactly once.
    Ask(Box<Ask>),
    /// A request was answered.
    Settled(Health),
}

/// A request and where its answer goes.
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) deadline: Instant,
    pub(crate) reply: Box<dyn FnOnce(ToolOutcome) + Send>,
}

/// What it starts with. `in_flight` outlives a restart, so that the bound holds over it.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) tenant: TenantId,
    pub(crate) integration: Arc<dyn Integration>,
    pub(crate) in_flight: Arc<Slots>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) chance: Chance,
}

pub(crate) struct State {
    with: Arguments,
    breaker: Breaker,
}

#[async_trait]
impl Actor for IntegrationActor {
    type Msg = Message;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<Message>,
        with: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State { with, breaker: Breaker::default() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Ask(ask) => {
                state.ask(&myself, ask);
                Ok(())
            }
            Message::Settled(health) => state.note(health),
        }
    }
}

impl State {
    fn ask(&mut self, myself: &ActorRef<Message>, ask: Box<Ask>) {
        if !self.breaker.admits(Instant::now(), &self.with.settings) {
            (ask.reply)(ToolOutcome::Failed { why: "it failed too often and rests".to_owned() });
            return;
        }
        let Some(slot) = self.with.in_flight.take(self.with.settings.in_flight_max) else {
            (ask.reply)(ToolOutcome::Failed { why: "it is busy".to_owned() });
            return;
        };
        let (myself, with) = (myself.clone(), self.with.clone());
        tokio::spawn(async move {
            let request = Arc::new(ask.request);
            let Settled { outcome, health } =
                settle(with.integration, request, ask.deadline, with.settings, with.chance).await;
            drop(slot);
            (ask.reply)(outcome);
            // Its actor may have been stopped meanwhile; then nobody needs to know.
            let _ = myself.cast(Message::Settled(health));
        });
    }

    fn note(&mut self, health: Health) -> Result<(), ActorProcessingErr> {
        let kind = self.with.integration.kind().name();
        if health == Health::Panicked {
            counter!(INTEGRATIONS_RESTARTED, "kind" => kind).increment(1);
            return Err(format!("the {kind} integration panicked").into());
        }
        if self.breaker.note(health == Health::Works, Instant::now(), &self.with.settings) {
            counter!(BREAKERS_OPENED, "kind" => kind).increment(1);
            tracing::warn!(tenant_id = %self.with.tenant, integration = kind, "breaker opened");
        }
        Ok(())
    }
}
