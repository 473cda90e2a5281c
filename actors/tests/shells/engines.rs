//! Senses that do what the test says, at once or in the runtime's own time, so that it can be paused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use models::Error;
use models::audio::{AudioReceiver, AudioSender, Clip, Speech, TELEPHONE_HZ, audio_ring};
use models::batching::Tenant;
use models::engine::{
    Expectation, Heard, ListenRequest, Listener, Listening, Place, PlaceKept, RecogniserEvent, SpeakRequest,
    Speaking, SpeechReady, SpeechToText, TextToSpeech, Word,
};
use parking_lot::Mutex;

fn failed() -> Error {
    Error::Failed { engine: "fake", why: "told to".into() }
}

pub(super) fn heard(text: &str) -> Heard {
    let word = |word: &str| Word { text: word.to_owned(), confidence: 0.9, ..Word::default() };
    Heard { words: text.split_whitespace().map(word).collect(), ..Heard::default() }
}

/// What becomes of one turn.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    Heard(&'static str),
    Fails,
    Hangs,
}

/// Hears the turns it was given, in order, over all its sessions.
#[derive(Clone, Default)]
pub(super) struct Ears {
    state: Arc<Mutex<EarsState>>,
}

#[derive(Default)]
struct EarsState {
    turns: VecDeque<Turn>,
    asked: Vec<u64>,
    opened: usize,
    open: usize,
    refuse: usize,
    /// What becomes of calls that ask for a place.
    places: Places,
    kept: usize,
    /// Those who were never answered.
    asking: Vec<PlaceKept>,
    listeners: Vec<Arc<Listener>>,
}

/// Places for calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Places {
    /// Nobody needs one.
    #[default]
    Endless,
    /// So many.
    Only(usize),
    /// The engine is behind.
    Behind,
    /// It does not answer.
    Silent,
}

impl Ears {
    pub(super) fn keep(&self, places: Places) {
        self.state.lock().places = places;
    }

    /// Places that are kept for calls.
    pub(super) fn kept(&self) -> usize {
        self.state.lock().kept
    }

    /// Answers those who asked while it was silent.
    pub(super) fn answer(&self) {
        let asking = std::mem::take(&mut self.state.lock().asking);
        for kept in asking {
            self.state.lock().kept += 1;
            kept(Ok(Place::new(Arc::new(Kept(self.clone())))));
        }
    }

    pub(super) fn hear(&self, turns: &[Turn]) {
        self.state.lock().turns.extend(turns.iter().cloned());
    }

    /// Refuses so many sessions from now on.
    pub(super) fn refuse(&self, count: usize) {
        self.state.lock().refuse = count;
    }

    /// The latest session dies.
    pub(super) fn die(&self) {
        let listener = self.state.lock().listeners.last().cloned();
        if let Some(listener) = listener {
            listener(RecogniserEvent::Failed(failed()));
        }
    }

    /// The latest session hears partial words, `times` over.
    pub(super) fn partial(&self, turn: u64, text: &str, times: usize) {
        let listener = self.state.lock().listeners.last().cloned();
        for _ in 0..times {
            if let Some(listener) = &listener {
                listener(RecogniserEvent::Partial { turn, heard: heard(text) });
            }
        }
    }

    pub(super) fn opened(&self) -> usize {
        self.state.lock().opened
    }

    pub(super) fn open(&self) -> usize {
        self.state.lock().open
    }

    /// The turn numbers that sessions were asked to finish.
    pub(super) fn asked(&self) -> Vec<u64> {
        self.state.lock().asked.clone()
    }
}

/// Gives its place back when it is dropped.
struct Kept(Ears);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.state.lock().kept -= 1;
    }
}

struct Session {
    state: Arc<Mutex<EarsState>>,
    listener: Arc<Listener>,
    _receiver: Mutex<AudioReceiver>,
}

impl SpeechToText for Ears {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn reserve(&self, _: Tenant, kept: PlaceKept) {
        let answer = {
            let mut state = self.state.lock();
            match state.places {
                Places::Endless => Ok(Place::default()),
                Places::Only(limit) if state.kept >= limit => Err(Error::Full { engine: "fake", limit }),
                Places::Only(_) => {
                    state.kept += 1;
                    Ok(Place::new(Arc::new(Kept(self.clone()))))
                }
                Places::Behind => Err(failed()),
                Places::Silent => return state.asking.push(kept),
            }
        };
        kept(answer);
    }

    fn listen_at(
        &self,
        place: &Place,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let is_limited = matches!(self.state.lock().places, Places::Only(_));
        assert_eq!(
            place.kept::<Kept>().is_some(),
            is_limited,
            "a call listens at the place that was kept for it"
        );
        self.listen(request, listener)
    }

    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        let mut state = self.state.lock();
        state.opened += 1;
        if state.refuse > 0 {
            state.refuse -= 1;
            return Err(failed());
        }
        state.open += 1;
        let listener = Arc::new(listener);
        state.listeners.push(Arc::clone(&listener));
        let (sender, receiver) = audio_ring(request.rate_hz, 1_600);
        let session = Session { state: Arc::clone(&self.state), listener, _receiver: Mutex::new(receiver) };
        Ok((sender, Box::new(session)))
    }
}

impl Listening for Session {
    fn finish_turn(&self, turn: u64) {
        let next = {
            let mut state = self.state.lock();
            state.asked.push(turn);
            state.turns.pop_front()
        };
        match next.unwrap_or(Turn::Heard("")) {
            Turn::Heard(text) => (self.listener)(RecogniserEvent::Final { turn, heard: heard(text) }),
            Turn::Fails => (self.listener)(RecogniserEvent::Failed(failed())),
            Turn::Hangs => {}
        }
    }

    fn expect(&self, _expectation: Expectation) {}
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        state.open -= 1;
        let own = Arc::clone(&self.listener);
        state.listeners.retain(|listener| !Arc::ptr_eq(listener, &own));
    }
}

/// What becomes of one utterance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Speak {
    After(u64),
    Fails,
    Refuses,
    Hangs,
}

/// Speaks what it is given, 200 ms a word.
#[derive(Clone, Default)]
pub(super) struct Mouth {
    state: Arc<Mutex<MouthState>>,
}

#[derive(Default)]
struct MouthState {
    script: VecDeque<Speak>,
    always: Option<Speak>,
    is_full: bool,
    spoken: Vec<String>,
}

impl Mouth {
    pub(super) fn next(&self, script: &[Speak]) {
        self.state.lock().script.extend(script);
    }

    pub(super) fn always(&self, speak: Speak) {
        self.state.lock().always = Some(speak);
    }

    pub(super) fn fill(&self, is_full: bool) {
        self.state.lock().is_full = is_full;
    }

    pub(super) fn spoken(&self) -> Vec<String> {
        self.state.lock().spoken.clone()
    }
}

struct Work;

impl Speaking for Work {}

impl TextToSpeech for Mouth {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn has_room(&self) -> bool {
        !self.state.lock().is_full
    }

    fn speak(&self, request: SpeakRequest, ready: SpeechReady) -> Result<Box<dyn Speaking>, Error> {
        let next = {
            let mut state = self.state.lock();
            state.spoken.push(request.text.clone());
            state.script.pop_front().or(state.always).unwrap_or(Speak::After(0))
        };
        let words = request.text.split_whitespace().count();
        let samples = vec![0_i16; words * TELEPHONE_HZ as usize / 5];
        let clip = Clip::with_estimated_words(TELEPHONE_HZ, samples.into(), &request.text);
        match next {
            Speak::After(0) => ready(Ok(Speech::clip(clip))),
            Speak::After(ms) => {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    ready(Ok(Speech::clip(clip)));
                });
            }
            Speak::Fails => ready(Err(failed())),
            Speak::Refuses => return Err(Error::Full { engine: "fake", limit: 1 }),
            Speak::Hangs => std::mem::forget(ready),
        }
        Ok(Box::new(Work))
    }
}
