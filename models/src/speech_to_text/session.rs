//! One caller: a ring, the turns that are not answered yet, and the stream of the step loop that hears them.
//!
//! Turns follow each other on one stream; a turn's first chunk says that the model's state begins anew. Events are
//! queued under the session's lock and told without it, in order, by whichever thread comes by.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::model::{Chunk, Decoded};
use super::recogniser::NAME;
use super::transcript::{Ending, Transcript};
use super::turn::{Shape, Turn};
use super::{Settings, config::FRAME_MS};
use crate::audio::AudioReceiver;
use crate::engine::delivery::Delivery;
use crate::engine::{Heard, RecogniserEvent, Word};
use crate::step_loop::{Event, Refused, Stream};
use crate::{Error, clock, metrics as measured};

/// A session as the pump, the engine's thread and its holder share it.
pub(super) struct Session {
    pub(super) delivery: Delivery,
    state: Mutex<State>,
    /// Held by the thread that tells events.
    telling: Mutex<()>,
    /// Taken out, then dropped without the lock: its events may be on their way.
    stream: Mutex<Option<Arc<Stream<Chunk, Decoded>>>>,
}

struct State {
    receiver: AudioReceiver,
    shape: Arc<Shape>,
    settings: Settings,
    /// The oldest first; the last is the one that is spoken now.
    turns: VecDeque<Numbered>,
    events: VecDeque<RecogniserEvent>,
}

struct Numbered {
    turn: Turn,
    number: u64,
    finished_at: Option<Instant>,
    /// The ending that was told of.
    told: Option<Ending>,
    /// Whether the model has had all of it.
    given: bool,
}

impl Session {
    pub(super) fn new(
        receiver: AudioReceiver,
        shape: Arc<Shape>,
        settings: &Settings,
        delivery: Delivery,
    ) -> Self {
        let mut state = State {
            receiver,
            shape,
            settings: settings.clone(),
            turns: VecDeque::new(),
            events: VecDeque::new(),
        };
        state.open(0);
        Self { delivery, state: Mutex::new(state), telling: Mutex::new(()), stream: Mutex::new(None) }
    }

    pub(super) fn attach(&self, stream: Stream<Chunk, Decoded>) {
        *self.stream.lock() = Some(Arc::new(stream));
    }

    /// Ends the stream; nothing more is told.
    pub(super) fn close(&self) {
        self.delivery.close();
        let stream = self.stream.lock().take();
        drop(stream);
    }

    /// Closes the turn that is spoken as number `number`.
    pub(super) fn finish(&self, number: u64, now: Instant) {
        {
            let mut state = self.state.lock();
            state.drain();
            let settings = state.settings.clone();
            if let Some(last) = state.turns.back_mut() {
                last.number = number;
                last.finished_at = Some(now);
                last.turn.finish(&settings);
            }
            state.open(number + 1);
        }
        self.pump();
    }

    /// Moves what the ring holds towards the model, as far as the model has room.
    pub(super) fn pump(&self) {
        let stream = self.stream.lock().clone();
        let Some(stream) = stream else { return };
        {
            let mut state = self.state.lock();
            state.drain();
            state.feed(&stream);
            state.conclude();
        }
        self.tell();
    }

    /// What the step loop says.
    pub(super) fn on(&self, event: Event<Decoded>) {
        match event {
            Event::Output { output, .. } => {
                self.state.lock().answered(&output);
                // The model has room for another chunk.
                self.pump();
                return;
            }
            // What was heard is heard again; outputs that were told are not told again.
            Event::Reprimed { .. } => return,
            Event::Ended(failure) => {
                let failed = Error::Failed { engine: NAME, why: failure.to_string() };
                self.state.lock().events.push_back(RecogniserEvent::Failed(failed));
            }
        }
        self.tell();
    }

    /// Ends the session where its oldest finished turn has waited too long.
    pub(super) fn check(&self) {
        {
            let mut state = self.state.lock();
            let since = state.turns.front().and_then(|turn| turn.finished_at);
            let late = Duration::from_millis(u64::from(state.settings.answer_ms));
            if since.is_none_or(|since| since.elapsed() <= late) {
                return;
            }
            let why = "the model did not answer in time".to_owned();
            state.events.push_back(RecogniserEvent::Failed(Error::Failed { engine: NAME, why }));
            state.turns.clear();
        }
        self.tell();
    }

    fn tell(&self) {
        // An event that comes while another thread looks for the last time is told at the pump's next tick.
        while let Some(telling) = self.telling.try_lock() {
            let event = self.state.lock().events.pop_front();
            let Some(event) = event else { return };
            match &event {
                RecogniserEvent::Partial { .. } => measured::count_partial(NAME),
                RecogniserEvent::Failed(_) if self.delivery.is_open() => measured::count_failure(NAME),
                _ => {}
            }
            self.delivery.tell(event);
            drop(telling);
        }
    }
}

impl State {
    fn open(&mut self, number: u64) {
        let turn = Turn::new(Arc::clone(&self.shape), &self.settings, self.receiver.rate_hz());
        self.turns.push_back(Numbered { turn, number, finished_at: None, told: None, given: false });
    }

    fn drain(&mut self) {
        let mut piece = [0; 320];
        loop {
            let count = self.receiver.read(&mut piece);
            while self.receiver.next_mark().is_some() {}
            match (piece.get(..count), self.turns.back_mut()) {
                (Some(samples), Some(open)) if count > 0 => {
                    measured::count_decoded(NAME, count, self.receiver.rate_hz());
                    open.turn.hear(samples);
                }
                _ => return,
            }
        }
    }

    /// Gives the model the next chunks, a turn after the other.
    fn feed(&mut self, stream: &Stream<Chunk, Decoded>) {
        let pace = stream.pace();
        for numbered in &mut self.turns {
            while let Some(chunk) = numbered.turn.next_chunk(&self.settings, pace) {
                let within = Duration::from_millis((chunk.lookahead as u64 + 1) * u64::from(FRAME_MS));
                match stream.push(chunk, within) {
                    Ok(_) => {}
                    Err(Refused::Full(chunk) | Refused::Over(chunk)) => {
                        numbered.turn.put_back(&chunk);
                        return;
                    }
                }
            }
            numbered.given = numbered.finished_at.is_some();
            if !numbered.given {
                return;
            }
        }
    }

    /// The answer to the oldest chunk that waits for one.
    fn answered(&mut self, decoded: &Decoded) {
        let Some(numbered) = self.turns.iter_mut().find(|numbered| numbered.turn.waits()) else { return };
        let said = numbered.turn.answered(decoded);
        let turn = numbered.number;
        if said && numbered.finished_at.is_none() {
            let heard = heard(&numbered.turn.transcript);
            self.events.push_back(RecogniserEvent::Partial { turn, heard });
        }
        let ending = numbered.turn.transcript.ending().map(|(ending, _)| ending);
        if ending != numbered.told && numbered.finished_at.is_none() {
            numbered.told = ending;
            if let Some(ending) = ending {
                let back_channel = ending == Ending::BackChannel;
                self.events.push_back(RecogniserEvent::EndOfTurn { turn, back_channel });
            }
        }
        self.conclude();
    }

    /// Turns that are over become final, in their order.
    fn conclude(&mut self) {
        while self.turns.front().is_some_and(|first| first.given && first.turn.is_over()) {
            let Some(first) = self.turns.pop_front() else { return };
            let waited =
                first.finished_at.map_or(Duration::ZERO, |at| clock::now().saturating_duration_since(at));
            measured::record_final(NAME, waited);
            let mut heard = heard(&first.turn.transcript);
            heard.stable_words = heard.words.len();
            self.events.push_back(RecogniserEvent::Final { turn: first.number, heard });
        }
    }
}

/// The words as conversations read them: lower case, without punctuation, none that is nothing else.
pub(super) fn heard(transcript: &Transcript) -> Heard {
    let stable = transcript.stable_words();
    let mut heard = Heard::default();
    for (place, word) in transcript.words().iter().enumerate() {
        let text = word.plain();
        if !text.is_empty() {
            let times_ms = Some((word.start_ms, word.end_ms));
            heard.words.push(Word { text, confidence: word.probability, times_ms });
            heard.stable_words += usize::from(place < stable);
        }
    }
    heard
}
