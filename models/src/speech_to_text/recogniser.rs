//! The engine: sessions, one pump that empties their rings, and the step loop that owns the model.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use candle_core::Device as ComputeDevice;

use super::checkpoint::Checkpoint;
use super::config::FRAME_MS;
use super::front_end::{FilterBank, MODEL_HZ};
use super::model::{Chunk, Decoded};
use super::session::Session;
use super::turn::Shape;
use super::{FastConformer, Settings, song};
use crate::audio::{AudioSender, TELEPHONE_HZ, audio_ring};
use crate::batching::{AdmissionSettings, Refusal, Tenant};
use crate::engine::delivery::Delivery;
use crate::engine::sessions::{Opened, Sessions};
use crate::engine::{Expectation, ListenRequest, Listener, Listening, Place, PlaceKept, SpeechToText};
use crate::step_loop::{self, Device, Failure, Health, HeldGrant, StepLoop};
use crate::{Error, clock};

pub(super) const NAME: &str = "fastconformer";
/// How often the rings are emptied.
const TICK: Duration = Duration::from_millis(20);
/// Inputs of a session that may wait for the model. More than that stays with the session, and makes its chunks
/// longer.
const CHUNKS_WAITING: usize = 2;

/// Streaming speech to text by a FastConformer transducer.
pub struct Recogniser {
    settings: Settings,
    shape: Arc<Shape>,
    steps: StepLoop<Chunk, Decoded>,
    sessions: Arc<Sessions<Session>>,
}

struct Handle(Opened<Session>);

impl Recogniser {
    /// Loads the model, tries it and starts the threads. Takes as long as that.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the weights are not on this machine or are not those of a model that this
    /// node can run, [`Error::Failed`] where the machine gives no threads or the model can't be tried.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let unavailable = |why: String| Error::Unavailable {
            engine: NAME,
            why,
            mend:
                "set engines.fastconformer.model to a .nemo file or a folder of the hub, or fetch the weights"
                    .into(),
        };
        let file = PathBuf::from(&settings.model);
        if settings.model.is_empty() || !file.exists() {
            return Err(unavailable(format!("no weights are at \"{}\"", settings.model)));
        }
        let on_cpu = ComputeDevice::Cpu;
        let read = Checkpoint::read(&file, &on_cpu).map_err(|error| unavailable(error.to_string()))?;
        let (config, vocabulary) = (read.config.clone(), read.vocabulary.clone());
        let bank = Arc::new(FilterBank::new(config.mel_bins));
        let shape = Arc::new(Shape { config, vocabulary, bank });
        let slots = settings.sessions;
        let (processor, precision) = (settings.processor, settings.precision);
        // The first model takes what was read; one that is built after a failure reads again.
        let mut read = Some(read);
        let factory = move || {
            let failed = |error: super::checkpoint::LoadError| Failure::Failed { why: error.to_string() };
            let Checkpoint { config, tensors, vocabulary } = match read.take() {
                Some(read) => read,
                None => Checkpoint::read(&file, &on_cpu).map_err(failed)?,
            };
            let opened = processor.open();
            let device = opened.map_err(|error| failed(super::checkpoint::LoadError::Device(error)))?;
            let tensors = tensors.on(&device).with(precision.dtype());
            let checkpoint = Checkpoint { config, tensors, vocabulary };
            // One more for the canary.
            FastConformer::new(checkpoint, slots + 1).map_err(failed)
        };
        let admission = Device::new(AdmissionSettings {
            share_max: settings.busy_percent as f32 / 100.0,
            tenant_streams_max: slots,
            ..AdmissionSettings::default()
        });
        let steps = StepLoop::start(
            NAME,
            loop_settings(&settings, &shape),
            &admission,
            factory,
            song::preparation(&settings, &shape),
        )?;
        match steps.wait_until_ready(Duration::from_millis(u64::from(settings.ready_ms))) {
            Health::Ready | Health::Behind => {}
            Health::Failed(why) => return Err(unavailable(why)),
            _ => return Err(Error::Failed { engine: NAME, why: "the model was not ready in time".into() }),
        }
        // The step loop's grants bound them.
        let sessions = Sessions::new(NAME, usize::MAX);
        let pumped = Arc::clone(&sessions);
        std::thread::Builder::new()
            .name("listen-fastconformer".into())
            .spawn(move || pumped.attend(TICK, pump))
            .map_err(|error| Error::Failed { engine: NAME, why: format!("no thread: {error}") })?;
        Ok(Self { settings, shape, steps, sessions })
    }
}

/// The step loop's bounds for these sessions.
fn loop_settings(settings: &Settings, shape: &Shape) -> step_loop::Settings {
    let periods = settings.lookaheads(&shape.config.lookaheads);
    let mut periods = periods.into_iter().map(|lookahead| (lookahead as u64 + 1) * u64::from(FRAME_MS));
    let mut steps = step_loop::Settings {
        slots: settings.sessions,
        period_ms: periods.next().unwrap_or(u64::from(FRAME_MS)),
        slower_ms: periods.collect(),
        canary_ms: u64::from(settings.canary_seconds) * 1_000,
        ..step_loop::Settings::default()
    };
    steps.schedule.waiting_max = CHUNKS_WAITING;
    steps.schedule.held_max = shape.config.left_frames;
    steps
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

    fn trouble(&self) -> Option<String> {
        let why = match self.steps.health() {
            Health::Ready => return None,
            Health::Starting => "starts".to_owned(),
            Health::Behind => "takes too long".to_owned(),
            Health::Rebuilding => "failed and is made anew".to_owned(),
            Health::Failed(why) => format!("can't be made: {why}"),
        };
        Some(format!("{NAME} {why}"))
    }

    fn reserve(&self, tenant: Tenant, kept: PlaceKept) {
        if matches!(self.steps.health(), Health::Failed(_)) {
            return kept(Ok(Place::default()));
        }
        let granted = self.steps.grant(tenant);
        kept(granted.map(|grant| Place::new(grant)).map_err(|refusal| self.refused(refusal)));
    }

    fn listen_at(
        &self,
        place: &Place,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let granted: Option<Arc<HeldGrant>> = place.kept();
        self.open(request, listener, |listener| match granted {
            Some(grant) => self.steps.open_with(grant, 1, listener),
            None => self.steps.open(Tenant(0), 1, listener),
        })
    }

    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        self.listen_at(&Place::default(), request, listener)
    }
}

impl Recogniser {
    fn refused(&self, refusal: Refusal) -> Error {
        match refusal {
            Refusal::NotReady => Error::Failed { engine: NAME, why: refusal.to_string() },
            _ => Error::Full { engine: NAME, limit: self.sessions.count() },
        }
    }

    fn open(
        &self,
        request: ListenRequest,
        listener: Listener,
        stream: impl FnOnce(step_loop::Listener<Decoded>) -> Result<step_loop::Stream<Chunk, Decoded>, Refusal>,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let rate_hz = request.rate_hz;
        if ![TELEPHONE_HZ, MODEL_HZ].contains(&rate_hz) {
            let why = format!("it hears audio at {TELEPHONE_HZ} or {MODEL_HZ} Hz, not at {rate_hz} Hz");
            return Err(Error::Failed { engine: NAME, why });
        }
        let capacity = u64::from(rate_hz) * u64::from(self.settings.ring_ms) / 1_000;
        let (sender, receiver) = audio_ring(rate_hz, capacity as usize);
        let session =
            Session::new(receiver, Arc::clone(&self.shape), &self.settings, Delivery::new(listener));
        let session = Arc::new(session);
        let told = Arc::downgrade(&session);
        let on = move |event| {
            if let Some(session) = told.upgrade() {
                session.on(event);
            }
        };
        session.attach(stream(Box::new(on)).map_err(|refusal| self.refused(refusal))?);
        Ok((sender, Box::new(Handle(self.sessions.open(None, session)))))
    }
}

impl Listening for Handle {
    fn finish_turn(&self, turn: u64) {
        self.0.session.finish(turn, clock::now());
    }

    /// The model expects everything.
    fn expect(&self, _: Expectation) {}
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.session.close();
    }
}

fn pump(sessions: &[Arc<Session>]) {
    for session in sessions {
        session.pump();
        session.check();
    }
}
