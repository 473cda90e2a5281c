//! Callers who are heard elsewhere: their sessions, and the thread that empties their rings.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::super::NAME;
use super::super::metrics::{self as measured, Sense};
use super::carry::carry;
use super::session::Session;
use super::shared::Shared;
use super::trouble::nobody;
use crate::audio::{AudioSender, audio_ring};
use crate::engine::delivery::Delivery;
use crate::engine::{Expectation, ListenRequest, Listener, Listening, SpeechToText};
use crate::{Error, clock, metrics as engine_metrics};

/// How often the rings are emptied.
const TICK: Duration = Duration::from_millis(20);

/// Speech to text on other nodes.
pub(super) struct Hearing {
    shared: Arc<Shared>,
    instead: Option<Arc<dyn SpeechToText>>,
    sessions: Arc<Sessions>,
}

#[derive(Default)]
struct Sessions {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, Arc<Session>>,
    opened: u64,
    closed: bool,
}

struct Handle {
    id: u64,
    session: Arc<Session>,
    sessions: Weak<Sessions>,
}

impl Hearing {
    pub(super) fn start(shared: Arc<Shared>, instead: Option<Arc<dyn SpeechToText>>) -> Result<Self, Error> {
        let sessions = Arc::new(Sessions::default());
        let pumped = Arc::clone(&sessions);
        std::thread::Builder::new()
            .name("listen-remote".into())
            .spawn(move || pump(&pumped))
            .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        Ok(Self { shared, instead, sessions })
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.sessions.state.lock().closed = true;
        self.sessions.wake.notify_all();
    }
}

impl SpeechToText for Hearing {
    fn name(&self) -> &'static str {
        NAME
    }

    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        if self.shared.pick(Sense::Hearing, &[]).is_none() {
            let Some(instead) = &self.instead else {
                measured::count_nobody(Sense::Hearing);
                return Err(nobody(self.shared.links.len(), None));
            };
            measured::count_instead(Sense::Hearing);
            return instead.listen(request, listener);
        }
        let limit = self.shared.settings.hearing_max;
        let capacity = u64::from(request.rate_hz) * u64::from(self.shared.settings.ring_ms) / 1_000;
        let (sender, receiver) = audio_ring(request.rate_hz, usize::try_from(capacity).unwrap_or(usize::MAX));
        let session = Session::new(receiver, request.phrases, &self.shared.settings, Delivery::new(listener));
        let session = Arc::new(session);
        let mut state = self.sessions.state.lock();
        if state.open.len() >= limit {
            return Err(Error::Full { engine: NAME, limit });
        }
        let id = state.opened;
        state.opened += 1;
        state.open.insert(id, Arc::clone(&session));
        engine_metrics::set_sessions(NAME, state.open.len());
        drop(state);
        self.sessions.wake.notify_all();
        let carried = carry(Arc::clone(&session), Arc::clone(&self.shared), self.instead.clone());
        self.shared.runtime.spawn(carried);
        Ok((sender, Box::new(Handle { id, session, sessions: Arc::downgrade(&self.sessions) })))
    }
}

impl Listening for Handle {
    fn finish_turn(&self, turn: u64) {
        self.session.finish(turn, clock::now());
    }

    fn expect(&self, expectation: Expectation) {
        self.session.expect(expectation, clock::now());
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.session.close();
        if let Some(sessions) = self.sessions.upgrade() {
            let mut state = sessions.state.lock();
            state.open.remove(&self.id);
            engine_metrics::set_sessions(NAME, state.open.len());
        }
    }
}

fn pump(sessions: &Sessions) {
    let mut open: Vec<Arc<Session>> = Vec::new();
    loop {
        open.clear();
        let mut state = sessions.state.lock();
        if state.open.is_empty() && !state.closed {
            sessions.wake.wait(&mut state);
        } else if !state.closed {
            sessions.wake.wait_for(&mut state, TICK);
        }
        if state.closed {
            return;
        }
        open.extend(state.open.values().cloned());
        drop(state);
        for session in &open {
            session.pump(clock::now());
        }
    }
}
