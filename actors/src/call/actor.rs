//! The actor of a call: message in, [`Shell`] does the rest. No handler here waits for anything.

use std::sync::Arc;

use async_trait::async_trait;
use models::Error;
use models::answering::Answering;
use models::audio::Speech;
use models::engine::RecogniserEvent;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use super::brain::Opening;
use super::case::Case;
use super::conversation::{Input, UtteranceId};
use super::effects::{Opened, Person};
use super::inlet::{Inlet, Load};
use super::leg::Event;
use super::record::NODE_STOPPED;
use super::screening::Then;
use super::services::Services;
use super::shell::Shell;
use super::snapshot::Snapshot;
use crate::types::{ToolOutcome, ToolStep};

/// The handler; all state is in [`Shell`].
pub(crate) struct CallActor;

/// What a call is told.
pub(crate) enum Message {
    /// By its leg.
    Leg(Event),
    /// By a session of its recogniser.
    Recogniser { session: u64, event: RecogniserEvent },
    /// Partial words wait in the inlet.
    Partial,
    /// By whoever judges pauses.
    PauseJudged { pause: u64, finished: f32 },
    /// By the voice.
    Voice { utterance: UtteranceId, attempt: u32, speech: Result<Speech, Error> },
    /// By the leg of a person whom the caller is handed over to, or by the voice that speaks to them.
    Person { hand_over: u64, event: Person },
    /// By who listens to what has answered.
    Answering(Answering),
    /// By its recorder.
    Recording(Opened),
    /// By a tool.
    Tool { step: ToolStep, outcome: ToolOutcome },
    /// By its timer.
    Tick,
    /// By the watchdog.
    Pulse,
    /// The node is stopping.
    NodeStopping,
    /// Somebody wants to see it.
    Snapshot(RpcReplyPort<Snapshot>),
}

/// What it starts with.
pub(crate) struct Arguments {
    pub(crate) case: Arc<Case>,
    pub(crate) services: Arc<Services>,
    pub(crate) phrases: Arc<[String]>,
    pub(crate) load: Arc<Load>,
    /// What is done with the call.
    pub(crate) then: Then,
    /// Tells the directory of it, before its first message; `false` where there is such a call already.
    pub(crate) enrol: Enrol,
}

type Enrol = Box<dyn FnOnce(&ActorRef<Message>) -> bool + Send>;

#[async_trait]
impl Actor for CallActor {
    type Msg = Message;
    type State = Shell;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        with: Arguments,
    ) -> Result<Shell, ActorProcessingErr> {
        let inlet = Inlet::new(myself.clone(), with.load);
        let (opening, plan) = match with.then {
            Then::Receptionist { ask_number: true } => (Opening::AskNumber, None),
            Then::Message(text) => (Opening::Message(text), None),
            Then::Reach(plan) => (Opening::Greeting, Some(plan)),
            Then::CallBack { cut_off } => (Opening::CalledBack { cut_off }, None),
            // One that is turned away has no actor.
            Then::Receptionist { ask_number: false } | Then::Turn(_) => (Opening::Greeting, None),
        };
        let mut shell = Shell::new(with.case, with.services, with.phrases, inlet, opening);
        if !(with.enrol)(&myself) {
            return Err("a call with this id is under way".into());
        }
        if let Some(plan) = plan {
            shell.reach(plan);
        }
        Ok(shell)
    }

    async fn post_start(
        &self,
        myself: ActorRef<Message>,
        shell: &mut Shell,
    ) -> Result<(), ActorProcessingErr> {
        shell.settle()?;
        stop_if_over(&myself, shell);
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        shell: &mut Shell,
    ) -> Result<(), ActorProcessingErr> {
        if shell.case.is_closed() {
            myself.stop(None);
            return Ok(());
        }
        take(shell, message);
        shell.settle()?;
        stop_if_over(&myself, shell);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Message>,
        _event: SupervisionEvent,
        _shell: &mut Shell,
    ) -> Result<(), ActorProcessingErr> {
        // A call has no children; the default would end it with one.
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Message>,
        shell: &mut Shell,
    ) -> Result<(), ActorProcessingErr> {
        shell.close(NODE_STOPPED);
        Ok(())
    }
}

fn stop_if_over(myself: &ActorRef<Message>, shell: &mut Shell) {
    if shell.close_if_over() {
        myself.stop(None);
    }
}

/// Turns a message into inputs.
fn take(shell: &mut Shell, message: Message) {
    match message {
        Message::Pulse => return shell.case.give_pulse(),
        Message::Snapshot(reply) => {
            // Whoever asked may have gone away.
            let _ = reply.send(shell.snapshot());
            return;
        }
        Message::NodeStopping if shell.reached.is_open() => return shell.reached_node_stopping(),
        Message::NodeStopping => return shell.push(Input::NodeStopping),
        Message::Leg(event) => shell.on_leg(event),
        Message::Recogniser { session, event } => shell.on_recogniser(session, event),
        Message::Partial => shell.on_partial(),
        Message::PauseJudged { pause, finished } => shell.pause_judged(pause, finished),
        Message::Voice { utterance, attempt, speech } => shell.on_voice(utterance, attempt, speech),
        Message::Person { hand_over, event } => shell.on_person(hand_over, event),
        Message::Answering(heard) => shell.on_answering(heard),
        Message::Recording(opened) => shell.on_recording(opened),
        Message::Tool { step, outcome } => shell.on_tool(step, outcome),
        Message::Tick => shell.on_tick(),
    }
    shell.inlet.taken();
}
