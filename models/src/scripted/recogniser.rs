//! The fake speech to text: one thread reads the tones of all sessions.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::session::Session;
use super::{Control, Fault};
use crate::audio::{AudioSender, audio_ring};
use crate::batching::Tenant;
use crate::engine::RecogniserEvent;
use crate::engine::delivery::Delivery;
use crate::engine::sessions::{Opened, Seat, Sessions};
use crate::engine::{Expectation, ListenRequest, Listener, Listening, Place, PlaceKept, SpeechToText};
use crate::{Error, clock, metrics as measured};

pub(super) const NAME: &str = "scripted";
/// How often the rings are read.
const TICK: Duration = Duration::from_millis(20);

/// The bounds of the fake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Callers heard at once; one more is refused.
    pub sessions: usize,
    /// Audio that a session's ring holds, in milliseconds.
    pub ring_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sessions: 4_096, ring_ms: 500 }
    }
}

/// Speech to text that understands [`super::Voice`] and its [`Control`], and nothing else.
pub struct Recogniser {
    settings: Settings,
    control: Control,
    sessions: Arc<Sessions<Caller>>,
}

struct Caller {
    session: Mutex<Session>,
    delivery: Delivery,
}

struct Handle {
    opened: Opened<Caller>,
    control: Control,
}

impl Recogniser {
    /// Starts the thread. Words and failures come from `control`.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no thread.
    pub fn start(settings: Settings, control: Control) -> Result<Self, Error> {
        let sessions = Sessions::new(NAME, settings.sessions);
        let worker = Arc::clone(&sessions);
        std::thread::Builder::new()
            .name("listen-scripted".into())
            .spawn(move || worker.attend(TICK, |callers| callers.iter().for_each(|caller| serve(caller))))
            .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        Ok(Self { settings, control, sessions })
    }
}

impl Drop for Recogniser {
    fn drop(&mut self) {
        self.sessions.close();
    }
}

impl SpeechToText for Recogniser {
    fn name(&self) -> &'static str {
        NAME
    }

    fn reserve(&self, _: Tenant, kept: PlaceKept) {
        kept(self.sessions.take().map(|seat| Place::new(seat)));
    }

    fn listen_at(
        &self,
        place: &Place,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        if self.control.suffer(Fault::ListenUnavailable) {
            return Err(Error::Unavailable {
                engine: NAME,
                why: "told to be".into(),
                mend: "change the script".into(),
            });
        }
        if self.control.suffer(Fault::ListenFull) {
            return Err(Error::Full { engine: NAME, limit: self.settings.sessions });
        }
        let seat: Arc<Seat<Caller>> = place.kept().map_or_else(|| self.sessions.take(), Ok)?;
        let capacity = u64::from(request.rate_hz) * u64::from(self.settings.ring_ms) / 1_000;
        let (sender, receiver) = audio_ring(request.rate_hz, capacity as usize);
        let caller = Arc::new(Caller {
            session: Mutex::new(Session::new(receiver, self.control.clone())),
            delivery: Delivery::new(listener),
        });
        let opened = self.sessions.open(Some(seat), caller);
        Ok((sender, Box::new(Handle { opened, control: self.control.clone() })))
    }

    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        self.listen_at(&Place::default(), request, listener)
    }
}

impl Listening for Handle {
    fn finish_turn(&self, turn: u64) {
        self.opened.session.session.lock().finish_turn(turn, clock::now());
        self.opened.hurry();
    }

    fn expect(&self, expectation: Expectation) {
        self.control.note_expectation(expectation);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.opened.session.delivery.close();
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
