//! How events reach a call's actor without flooding it.
//!
//! An actor's mailbox has no bound of its own. Everything from outside therefore comes through here: what waits is
//! counted, beyond the bound what can be spared is dropped and counted, and a recogniser's partial words never
//! wait more than once, for a newer partial replaces an older one. What can't be spared is bounded by its cause:
//! one `Final` per turn asked for, one end per utterance played, one answer per tool asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use metrics::counter;
use models::Error;
use models::answering::Answering;
use models::audio::Speech;
use models::engine::{Heard, RecogniserEvent};
use parking_lot::Mutex;
use ractor::ActorRef;

use super::actor::Message;
use super::conversation::UtteranceId;
use super::effects::{Opened, Person};
use super::leg::Event;
use crate::metrics::EVENTS_DROPPED;
use crate::types::{ToolOutcome, ToolStep};

/// The way in to one call. Cheap to clone; never blocks. Where the call is over, what it is given is dropped.
#[derive(Clone)]
pub(crate) struct Inlet {
    actor: ActorRef<Message>,
    load: Arc<Load>,
}

/// What waits: one per call, shared by all its ways in.
pub(crate) struct Load {
    waiting: AtomicU32,
    waiting_max: u32,
    partial: Mutex<Option<Partial>>,
}

/// The words of a turn so far.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) session: u64,
    pub(crate) turn: u64,
    pub(crate) heard: Heard,
}

impl Load {
    pub(crate) fn new(waiting_max: u32) -> Arc<Self> {
        Arc::new(Self { waiting: AtomicU32::new(0), waiting_max, partial: Mutex::new(None) })
    }
}

impl Inlet {
    pub(crate) const fn new(actor: ActorRef<Message>, load: Arc<Load>) -> Self {
        Self { actor, load }
    }

    /// An event of the leg.
    pub(crate) fn leg(&self, event: Event) {
        let spared = match event {
            Event::SpeechStarted => Some("speech_started"),
            Event::SpeechStopped => Some("speech_stopped"),
            Event::Digit(_) => Some("digit"),
            Event::Held(_) => Some("held"),
            Event::TransferProgress(status) if status < 200 => Some("transfer_progress"),
            _ => None,
        };
        match spared {
            Some(kind) if self.is_full() => counter!(EVENTS_DROPPED, "kind" => kind).increment(1),
            _ => self.send(Message::Leg(event)),
        }
    }

    /// An event of the recogniser's session with this number.
    pub(crate) fn recogniser(&self, session: u64, event: RecogniserEvent) {
        let RecogniserEvent::Partial { turn, heard } = event else {
            self.send(Message::Recogniser { session, event });
            return;
        };
        if self.is_full() {
            counter!(EVENTS_DROPPED, "kind" => "partial").increment(1);
            return;
        }
        let waiting = &mut *self.load.partial.lock();
        match waiting {
            Some(partial) if (partial.session, partial.turn) == (session, turn) => partial.heard = heard,
            Some(_) => {
                let event = RecogniserEvent::Partial { turn, heard };
                self.send(Message::Recogniser { session, event });
            }
            None => {
                *waiting = Some(Partial { session, turn, heard });
                self.send(Message::Partial);
            }
        }
    }

    /// A pause was judged by its sound. One judgement per pause asked about.
    pub(crate) fn pause_judged(&self, pause: u64, finished: f32) {
        self.send(Message::PauseJudged { pause, finished });
    }

    /// The voice has an utterance's audio, or has failed at it.
    pub(crate) fn voice(&self, utterance: UtteranceId, attempt: u32, speech: Result<Speech, Error>) {
        self.send(Message::Voice { utterance, attempt, speech });
    }

    /// News of the person whom the caller is handed over to; of the hand-over with this number.
    pub(crate) fn person(&self, hand_over: u64, event: Person) {
        self.send(Message::Person { hand_over, event });
    }

    /// Something was heard of what has answered a call that we make. Once each, but for beeps.
    pub(crate) fn answering(&self, heard: Answering) {
        if !self.is_full() {
            self.send(Message::Answering(heard));
        }
    }

    /// The recording was opened, or was not.
    pub(crate) fn recording(&self, opened: Opened) {
        self.send(Message::Recording(opened));
    }

    /// A tool has answered.
    pub(crate) fn tool(&self, step: ToolStep, outcome: ToolOutcome) {
        self.send(Message::Tool { step, outcome });
    }

    /// The timer has come to its moment.
    pub(crate) fn tick(&self) {
        self.send(Message::Tick);
    }

    /// The actor has taken a message out of its mailbox.
    pub(crate) fn taken(&self) {
        let _ = self
            .load
            .waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| waiting.checked_sub(1));
    }

    /// The partial words that wait.
    pub(crate) fn take_partial(&self) -> Option<Partial> {
        self.load.partial.lock().take()
    }

    fn is_full(&self) -> bool {
        self.load.waiting.load(Ordering::Acquire) >= self.load.waiting_max
    }

    fn send(&self, message: Message) {
        self.load.waiting.fetch_add(1, Ordering::AcqRel);
        // Where the call is over there is nobody left to tell.
        let _ = self.actor.cast(message);
    }
}
