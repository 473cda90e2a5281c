//! The calls' supervisor: closes the case of a call whose actor failed, and watches for calls that hang.

use std::sync::Arc;

use async_trait::async_trait;
use metrics::counter;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::Settings;
use crate::call::{self, CRASHED};
use crate::clock::ms;
use crate::directory::Directory;
use crate::metrics::CALLS_CRASHED;

/// The handler; all state is in [`Arguments`].
pub(super) struct Calls;

/// What it is told.
pub(super) enum Message {
    /// Ask every call for a sign of life, and end those that did not give the last one.
    Watch,
}

/// What it starts with.
#[derive(Clone)]
pub(super) struct Arguments {
    pub(super) directory: Arc<Directory>,
    pub(super) settings: Settings,
}

#[async_trait]
impl Actor for Calls {
    type Msg = Message;
    type State = Arguments;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        with: Arguments,
    ) -> Result<Arguments, ActorProcessingErr> {
        // Calls are there already only where the one before this one failed, which took their actors with it.
        with.end_all("died");
        myself.send_after(ms(with.settings.watch_ms), || Message::Watch);
        Ok(with)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut Arguments,
    ) -> Result<(), ActorProcessingErr> {
        let Message::Watch = message;
        for call in state.directory.calls() {
            match call.case.ask_pulse() {
                // Where it has just ended, its end is on the way here.
                Ok(()) => drop(call.actor.cast(call::Message::Pulse)),
                Err(asked_ms) if asked_ms >= state.settings.hung_ms => {
                    state.ended(call.actor.get_id(), "hung");
                    call.actor.kill();
                }
                Err(_) => {}
            }
        }
        myself.send_after(ms(state.settings.watch_ms), || Message::Watch);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut Arguments,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, _) => state.ended(cell.get_id(), "panicked"),
            SupervisionEvent::ActorTerminated(cell, _, _) => state.ended(cell.get_id(), "died"),
            _ => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Message>,
        state: &mut Arguments,
    ) -> Result<(), ActorProcessingErr> {
        myself.stop_children_and_wait(None, Some(ms(state.settings.hung_ms))).await;
        // One that did not even stop is closed over its head.
        state.end_all("hung");
        Ok(())
    }
}

impl Arguments {
    fn end_all(&self, how: &'static str) {
        for call in self.directory.calls() {
            self.ended(call.actor.get_id(), how);
            call.actor.kill();
        }
    }

    /// A call's actor is gone, or as good as gone: whatever it left undone is done here.
    fn ended(&self, actor: ActorId, how: &'static str) {
        let Some(call) = self.directory.take_call_of(actor) else { return };
        if call.case.close(CRASHED) {
            counter!(CALLS_CRASHED, "how" => how).increment(1);
            tracing::error!(call_id = %call.call(), tenant_id = %call.tenant(), how, "call actor failed");
        }
    }
}
