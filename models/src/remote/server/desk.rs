//! What all streams share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::watch;
use tonic::Status;

use super::super::ServerSettings;
use super::super::metrics::{self as measured, Sense};
use super::super::wire::{Room, Rooms};
use crate::Error;
use crate::engine::{Embeddings, PauseJudge, SpeechToText, TextToSpeech};

/// The engines that work for others: this node's own, never another node's.
#[derive(Clone, Default)]
pub struct Served {
    /// Who hears, where somebody does.
    pub speech_to_text: Option<Arc<dyn SpeechToText>>,
    /// Who speaks, where somebody does.
    pub text_to_speech: Option<Arc<dyn TextToSpeech>>,
    /// Who compares, where somebody does.
    pub embeddings: Option<Arc<dyn Embeddings>>,
    /// Who judges pauses, where somebody does.
    pub pause_judge: Option<Arc<dyn PauseJudge>>,
}

/// Engines, places, and the node's state.
pub(super) struct Desk {
    pub(super) settings: ServerSettings,
    pub(super) engines: Served,
    places: [AtomicUsize; 4],
    resting: AtomicBool,
    ends: watch::Sender<bool>,
}

/// One taken place; given back when dropped.
pub(super) struct Place {
    desk: Arc<Desk>,
    sense: Sense,
}

impl Desk {
    pub(super) fn new(settings: ServerSettings, engines: Served) -> Self {
        Self {
            settings,
            engines,
            places: Default::default(),
            resting: AtomicBool::new(false),
            ends: watch::Sender::new(false),
        }
    }

    /// From now on nothing new is taken.
    pub(super) fn rest(&self) {
        self.resting.store(true, Ordering::Release);
    }

    /// All streams end.
    pub(super) fn end(&self) {
        self.rest();
        self.ends.send_replace(true);
    }

    /// Tells when all streams end.
    pub(super) fn ends(&self) -> watch::Receiver<bool> {
        self.ends.subscribe()
    }

    fn most(&self, sense: Sense) -> usize {
        match sense {
            Sense::Hearing => self.settings.hearing_max,
            Sense::Speaking => self.settings.speaking_max,
            Sense::Comparing => self.settings.comparing_max,
            Sense::Pausing => self.settings.pausing_max,
        }
    }

    /// A place for one more stream, or the reason that there is none.
    pub(super) fn take(self: &Arc<Self>, sense: Sense) -> Result<Place, Status> {
        if self.resting.load(Ordering::Acquire) {
            measured::count_refused(sense, "stopping");
            return Err(stopping());
        }
        let most = self.most(sense);
        let places = &self.places[sense as usize];
        let taken =
            places.try_update(Ordering::AcqRel, Ordering::Acquire, |open| (open < most).then_some(open + 1));
        let Ok(before) = taken else {
            measured::count_refused(sense, "full");
            return Err(Status::resource_exhausted(format!("all {most} places are taken")));
        };
        measured::set_served(sense, before + 1);
        Ok(Place { desk: Arc::clone(self), sense })
    }

    /// How the node is.
    pub(super) fn rooms(&self) -> Rooms {
        let room = |sense: Sense, engine: Option<&'static str>| {
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            Some(Room {
                engine: engine.unwrap_or_default().to_owned(),
                open: count(self.places[sense as usize].load(Ordering::Acquire)),
                most: engine.map_or(0, |_| count(self.most(sense))),
            })
        };
        let Served { speech_to_text, text_to_speech, embeddings, pause_judge } = &self.engines;
        Rooms {
            ready: !self.resting.load(Ordering::Acquire),
            hearing: room(Sense::Hearing, speech_to_text.as_ref().map(|engine| engine.name())),
            speaking: room(Sense::Speaking, text_to_speech.as_ref().map(|engine| engine.name())),
            comparing: room(Sense::Comparing, embeddings.as_ref().map(|engine| engine.name())),
            pausing: room(Sense::Pausing, pause_judge.as_ref().map(|engine| engine.name())),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let before = self.desk.places[self.sense as usize].fetch_sub(1, Ordering::AcqRel);
        measured::set_served(self.sense, before.saturating_sub(1));
    }
}

pub(super) fn stopping() -> Status {
    Status::unavailable("this node takes nothing new; ask another")
}

/// An engine's refusal or failure, as others are told of it.
pub(super) fn told(sense: Sense, error: &Error) -> Status {
    let (status, why) = status_of(error);
    measured::count_refused(sense, why);
    status
}

/// The same, and as a metric's label says it.
pub(super) fn status_of(error: &Error) -> (Status, &'static str) {
    match error {
        Error::Full { .. } => (Status::resource_exhausted(error.to_string()), "full"),
        // It is well, and another may have less to do.
        Error::Late { .. } => (Status::resource_exhausted(error.to_string()), "late"),
        Error::Unavailable { .. } => (Status::unavailable(error.to_string()), "engine"),
        Error::Failed { .. } => (Status::internal(error.to_string()), "engine"),
    }
}

/// There is no such engine here.
pub(super) fn absent(sense: Sense) -> Status {
    measured::count_refused(sense, "engine");
    Status::unimplemented(format!("no engine for {} is on this node", sense.word()))
}

/// What was asked is out of bounds.
pub(super) fn bad(sense: Sense, why: impl std::fmt::Display) -> Status {
    measured::count_refused(sense, "bad_request");
    Status::invalid_argument(why.to_string())
}
