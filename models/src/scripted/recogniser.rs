//! The fake speech to text: one thread reads the tones of all sessions.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use super::session::Session;
use super::{Control, Fault};
use crate::audio::{AudioSender, audio_ring};
use crate::engine::RecogniserEvent;
use crate::engine::delivery::Delivery;
use crate::engine::{Expectation, ListenRequest, Listener, Listening, SpeechToText};
use crate::{Error, clock, metrics as measured};

pub(super) const NAME: &str = "scripted";
/// How often the rings are read.
const TICK: Duration = Duration::from_millis(20);

/// The bounds of the fake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Sessions open at once; one more is refused.
    pub sessions: usize,
    /// Audio that a session's ring holds, in milliseconds.
    pub ring_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sessions: 4_096, ring_ms: 1_000 }
    }
}

/// Speech to text that understands [`super::Voice`] and its [`Control`], and nothing else.
pub struct Recogniser {
    settings: Settings,
    control: Control,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    sessions: HashMap<u64, Arc<Caller>>,
    opened: u64,
    /// A turn was finished: the thread need not wait for its tick.
    hurry: bool,
    closed: bool,
}

struct Caller {
    session: Mutex<Session>,
    delivery: Delivery,
}

struct Handle {
    id: u64,
    caller: Arc<Caller>,
    shared: Weak<Shared>,
    control: Control,
}

impl Recogniser {
    /// Starts the thread. Words and failures come from `control`.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no thread.
    pub fn start(settings: Settings, control: Control) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("listen-scripted".into())
            .spawn(move || pump(&worker))
            .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        Ok(Self { settings, control, shared })
    }
}

impl Drop for Recogniser {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

impl SpeechToText for Recogniser {
    fn name(&self) -> &'static str {
        NAME
    }

    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let limit = self.settings.sessions;
        if self.control.suffer(Fault::ListenUnavailable) {
            return Err(Error::Unavailable {
                engine: NAME,
                why: "told to be".into(),
                mend: "change the script".into(),
            });
        }
        let mut state = self.shared.state.lock();
        if state.sessions.len() >= limit || self.control.suffer(Fault::ListenFull) {
            return Err(Error::Full { engine: NAME, limit });
        }
        let capacity = u64::from(request.rate_hz) * u64::from(self.settings.ring_ms) / 1_000;
        let (sender, receiver) = audio_ring(request.rate_hz, capacity as usize);
        let caller = Arc::new(Caller {
            session: Mutex::new(Session::new(receiver, self.control.clone())),
            delivery: Delivery::new(listener),
        });
        let id = state.opened;
        state.opened += 1;
        state.sessions.insert(id, Arc::clone(&caller));
        measured::set_sessions(NAME, state.sessions.len());
        drop(state);
        self.shared.wake.notify_all();
        let (shared, control) = (Arc::downgrade(&self.shared), self.control.clone());
        Ok((sender, Box::new(Handle { id, caller, shared, control })))
    }
}

impl Listening for Handle {
    fn finish_turn(&self, turn: u64) {
        self.caller.session.lock().finish_turn(turn, clock::now());
        if let Some(shared) = self.shared.upgrade() {
            shared.state.lock().hurry = true;
            shared.wake.notify_all();
        }
    }

    fn expect(&self, expectation: Expectation) {
        self.control.note_expectation(expectation);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.caller.delivery.close();
        if let Some(shared) = self.shared.upgrade() {
            let mut state = shared.state.lock();
            state.sessions.remove(&self.id);
            measured::set_sessions(NAME, state.sessions.len());
        }
    }
}

fn pump(shared: &Shared) {
    let mut callers: Vec<Arc<Caller>> = Vec::new();
    loop {
        callers.clear();
        let mut state = shared.state.lock();
        if state.sessions.is_empty() && !state.closed {
            shared.wake.wait(&mut state);
        } else if !state.hurry && !state.closed {
            shared.wake.wait_for(&mut state, TICK);
        }
        if state.closed {
            return;
        }
        state.hurry = false;
        callers.extend(state.sessions.values().cloned());
        drop(state);
        for caller in &callers {
            serve(caller);
        }
    }
}

fn serve(caller: &Caller) {
    if !caller.delivery.is_open() {
        return;
    }
    let now = clock::now();
    caller.session.lock().listen(now);
    loop {
        // Told without the lock: the listener may close or finish the session.
        let Some(event) = caller.session.lock().due(now) else { return };
        match &event {
            RecogniserEvent::Partial { .. } => measured::count_partial(NAME),
            RecogniserEvent::Final { .. } => measured::record_final(NAME, now.elapsed()),
            RecogniserEvent::Failed(_) => measured::count_failure(NAME),
            RecogniserEvent::EndOfTurn { .. } => {}
        }
        caller.delivery.tell(event);
    }
}
