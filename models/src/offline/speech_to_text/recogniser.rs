//! The engine: sessions, one pump that empties their rings, and the decoder threads that they share.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::decoder::Decoders;
use super::dictionary::Dictionary;
use super::language_model::Businesses;
use super::session::{Session, Turns};
use super::{NAME, Settings, worker};
use crate::audio::{AudioSender, TELEPHONE_HZ, audio_ring};
use crate::batching::Tenant;
use crate::engine::delivery::Delivery;
use crate::engine::sessions::{Opened, Seat, Sessions};
use crate::engine::{
    Expectation, ListenRequest, Listener, Listening, Place, PlaceKept, RecogniserEvent, SpeechToText,
};
use crate::offline::ffi;
use crate::{Error, clock, metrics as measured};

/// How often the rings are emptied.
const TICK: Duration = Duration::from_millis(20);

/// Speech to text by the system's pocketsphinx, for telephone audio at 8 kHz.
pub struct Recogniser {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) state: Mutex<State>,
    /// Looked at under the lock of `state`, never the other way round.
    pub(super) sessions: Arc<Sessions<Session>>,
    /// There may be something to decode.
    pub(super) work: Condvar,
    businesses: Businesses,
}

#[derive(Default)]
pub(super) struct State {
    /// Sessions whose decoder is to be loaded before their first word.
    pub(super) unprepared: Vec<Arc<Session>>,
    /// Decoder threads that wait for work.
    pub(super) idle: usize,
    pub(super) closed: bool,
}

struct Handle {
    opened: Opened<Session>,
    shared: Weak<Shared>,
}

impl Recogniser {
    /// Looks for library, model and dictionary, and starts the threads. No decoder is loaded yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where one of them is not on this machine, [`Error::Failed`] where the machine gives no
    /// threads.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let absent = |why| Error::Unavailable {
            engine: NAME,
            why,
            mend: "install the Debian packages libpocketsphinx3 and pocketsphinx-en-us".into(),
        };
        ffi::check_library().map_err(absent)?;
        let folder = Path::new(&settings.model_folder);
        if !folder.join("en-us/mdef").is_file() {
            return Err(absent(format!("no acoustic model is in {}", folder.display())));
        }
        let dictionary = Arc::new(Dictionary::read(&folder.join("cmudict-en-us.dict")).map_err(absent)?);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoders = match settings.decoders {
            0 => cores.saturating_sub(1).max(1),
            decoders => decoders,
        };
        let businesses = Businesses::new(settings.businesses, settings.phrases);
        let shared = Arc::new(Shared {
            sessions: Sessions::new(NAME, settings.sessions),
            settings,
            state: Mutex::default(),
            work: Condvar::new(),
            businesses,
        });
        let recogniser = Self { shared: Arc::clone(&shared) };
        spawn("listen-pump".into(), &shared, |shared| {
            shared.sessions.attend(TICK, |sessions| pump(shared, sessions));
        })?;
        for number in 0..decoders {
            let decoders = Decoders::new(shared.settings.clone(), Arc::clone(&dictionary));
            spawn(format!("listen-{number}"), &shared, move |shared| worker::work(shared, decoders))?;
        }
        Ok(recogniser)
    }
}

impl Shared {
    /// Wakes the decoder threads. Taking the lock makes sure that none is just about to sleep.
    fn wake(&self) {
        drop(self.state.lock());
        self.work.notify_all();
    }
}

fn spawn(
    name: String,
    shared: &Arc<Shared>,
    run: impl FnOnce(&Shared) + Send + 'static,
) -> Result<(), Error> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name(name)
        .spawn(move || run(&shared))
        .map(drop)
        .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })
}

impl Drop for Recogniser {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_all();
        self.shared.sessions.close();
    }
}

impl SpeechToText for Recogniser {
    fn name(&self) -> &'static str {
        NAME
    }

    fn reserve(&self, _: Tenant, kept: PlaceKept) {
        kept(self.shared.sessions.take().map(|seat| Place::new(seat)));
    }

    fn listen_at(
        &self,
        place: &Place,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let shared = &self.shared;
        if request.rate_hz != TELEPHONE_HZ {
            let why = format!("it hears telephone audio at {TELEPHONE_HZ} Hz, not at {} Hz", request.rate_hz);
            return Err(Error::Failed { engine: NAME, why });
        }
        let business = shared.businesses.get(&request.phrases);
        let seat: Arc<Seat<Session>> = place.kept().map_or_else(|| shared.sessions.take(), Ok)?;
        let samples = |ms: u64| (u64::from(TELEPHONE_HZ) * ms / 1_000) as usize;
        let (sender, receiver) = audio_ring(TELEPHONE_HZ, samples(u64::from(shared.settings.ring_ms)));
        let turn_samples = samples(u64::from(shared.settings.turn_seconds) * 1_000);
        let session = Arc::new(Session {
            business,
            delivery: Delivery::new(listener),
            turns: Mutex::new(Turns::new(receiver, turn_samples)),
        });
        let opened = shared.sessions.open(Some(seat), Arc::clone(&session));
        shared.state.lock().unprepared.push(session);
        shared.work.notify_one();
        Ok((sender, Box::new(Handle { opened, shared: Arc::downgrade(shared) })))
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
        self.opened.session.turns.lock().finish(turn, clock::now());
        if let Some(shared) = self.shared.upgrade() {
            shared.wake();
        }
    }

    fn expect(&self, expectation: Expectation) {
        self.opened.session.turns.lock().expectation = expectation;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.opened.session.delivery.close();
    }
}

fn pump(shared: &Shared, sessions: &[Arc<Session>]) {
    let mut heard = false;
    let mut waiting = 0;
    for session in sessions {
        let mut turns = session.turns.lock();
        heard |= turns.drain();
        let since = turns.waiting_since();
        drop(turns);
        if let Some(since) = since {
            waiting += 1;
            if since.elapsed() > Duration::from_millis(shared.settings.answer_ms) {
                fail(session, "no decoder was free in time");
            }
        }
    }
    measured::set_listening_queue(NAME, waiting);
    if heard {
        shared.wake();
    }
}

/// Ends a session.
pub(super) fn fail(session: &Session, why: &str) {
    if session.delivery.is_open() {
        measured::count_failure(NAME);
        session.delivery.tell(RecogniserEvent::Failed(Error::Failed { engine: NAME, why: why.into() }));
    }
}
