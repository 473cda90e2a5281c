//! One caller: a ring, what is held of it, and the place where it is heard just now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, ReentrantMutex};
use tokio::sync::{Notify, mpsc};

use super::super::failover::{Piece, Replay, Said};
use super::super::metrics::{self as measured, Sense};
use super::super::wire::{FromEar, Open, ToEar, bytes_of, from_ear, number_of, number_of_mark, to_ear};
use super::super::{ClientSettings, NAME};
use super::trouble::Trouble;
use crate::audio::{AudioReceiver, AudioSender};
use crate::batching::Tenant;
use crate::engine::delivery::Delivery;
use crate::engine::{Expectation, Listening, RecogniserEvent};
use crate::{Error, metrics as engine_metrics};

/// Audio of one message at most, in milliseconds.
const PIECE_MS: usize = 100;
/// A business's phrases that a node is told, and their bytes; more are left out. Within what nodes take by default.
const PHRASES: usize = 1_000;
const PHRASES_BYTES: usize = 128 * 1_024;

/// A session as its holder, the pump and the task that carries it share it.
pub(super) struct Session {
    pub(super) rate_hz: u32,
    pub(super) phrases: Arc<[String]>,
    tenant: Tenant,
    delivery: Delivery,
    /// Held by whoever gives audio away, so that pieces keep their order. The holder may finish a turn from inside
    /// an event that this very giving brought.
    giving: ReentrantMutex<()>,
    state: Mutex<State>,
    /// The task has something to see to.
    pub(super) call: Notify,
    final_after: Duration,
    stall_after: Duration,
}

struct State {
    receiver: AudioReceiver,
    replay: Replay,
    place: Place,
    /// Since when a turn's words are waited for.
    asked_at: Option<Instant>,
    /// Since when the node takes nothing.
    stuck_at: Option<Instant>,
    trouble: Option<Trouble>,
    was_open: bool,
    /// Moves since a turn's words last came.
    moves: u32,
    closed: bool,
}

enum Place {
    /// On the way to the next.
    Between,
    /// On another node.
    There(mpsc::Sender<ToEar>),
    /// On this node's own engine.
    Here { audio: AudioSender, listening: Arc<dyn Listening> },
}

/// What giving audio away comes to next.
enum Give {
    Done,
    Again,
    Finish(Arc<dyn Listening>, u64),
    Expect(Arc<dyn Listening>, Expectation),
}

impl Session {
    pub(super) fn new(
        receiver: AudioReceiver,
        phrases: Arc<[String]>,
        tenant: Tenant,
        settings: &ClientSettings,
        delivery: Delivery,
    ) -> Self {
        let rate_hz = receiver.rate_hz();
        let held_max = rate_hz as usize * settings.held_seconds as usize;
        Self {
            rate_hz,
            phrases,
            tenant,
            delivery,
            giving: ReentrantMutex::new(()),
            state: Mutex::new(State {
                receiver,
                replay: Replay::new(held_max),
                place: Place::Between,
                asked_at: None,
                stuck_at: None,
                trouble: None,
                was_open: false,
                moves: 0,
                closed: false,
            }),
            call: Notify::new(),
            final_after: Duration::from_millis(settings.final_ms),
            stall_after: Duration::from_millis(settings.stall_ms),
        }
    }

    /// Nothing more is told, and wherever it is heard learns of it.
    pub(super) fn close(&self) {
        self.delivery.close();
        let place = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::replace(&mut state.place, Place::Between)
        };
        // Not under the lock: an engine's last event may be on its way.
        drop(place);
        self.call.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed || !self.delivery.is_open()
    }

    pub(super) fn finish(&self, turn: u64, now: Instant) {
        {
            let mut state = self.state.lock();
            state.drain();
            state.replay.finish(turn);
        }
        self.pump(now);
    }

    pub(super) fn expect(&self, expectation: Expectation, now: Instant) {
        {
            let mut state = self.state.lock();
            state.drain();
            state.replay.expect(expectation);
        }
        self.pump(now);
    }

    /// Moves what the ring holds on, as far as there is room.
    pub(super) fn pump(&self, now: Instant) {
        let _giving = self.giving.lock();
        self.state.lock().drain();
        loop {
            let give = self.state.lock().give(self.rate_hz, now);
            match give {
                Give::Done => break,
                Give::Again => {}
                Give::Finish(listening, turn) => listening.finish_turn(turn),
                Give::Expect(listening, expectation) => listening.expect(expectation),
            }
        }
        let mut state = self.state.lock();
        if let Some(trouble) = state.late(now, self.final_after, self.stall_after) {
            state.trouble = Some(trouble);
            drop(state);
            self.call.notify_one();
        }
    }

    /// How a session on a node begins.
    pub(super) fn opening(&self) -> ToEar {
        let expectation = number_of(self.expectation());
        let mut bytes = 0;
        let fits = |phrase: &&String| {
            bytes += phrase.len();
            bytes <= PHRASES_BYTES
        };
        let phrases = self.phrases.iter().take(PHRASES).take_while(fits).cloned().collect();
        let open = Open { rate_hz: self.rate_hz, phrases, expectation, tenant: self.tenant.0 };
        ToEar { kind: Some(to_ear::Kind::Open(open)) }
    }

    /// What is expected where a session begins.
    pub(super) fn expectation(&self) -> Expectation {
        self.state.lock().replay.expectation()
    }

    /// It is heard there from now on.
    pub(super) fn goes_there(&self, sender: mpsc::Sender<ToEar>, now: Instant) {
        self.goes(Place::There(sender), now);
    }

    /// It is heard here from now on.
    pub(super) fn goes_here(&self, audio: AudioSender, listening: Arc<dyn Listening>, now: Instant) {
        self.goes(Place::Here { audio, listening }, now);
    }

    fn goes(&self, place: Place, now: Instant) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        if std::mem::replace(&mut state.was_open, true) {
            let samples = state.replay.rewind();
            measured::record_replayed(samples, self.rate_hz);
        }
        (state.place, state.asked_at, state.stuck_at, state.trouble) = (place, None, None, None);
        drop(state);
        self.pump(now);
    }

    /// It is heard nowhere for the moment. Returns how often that has come since words last came.
    pub(super) fn leaves(&self) -> u32 {
        let mut state = self.state.lock();
        (state.place, state.asked_at, state.stuck_at) = (Place::Between, None, None);
        state.moves += 1;
        state.moves
    }

    /// What the holder of the lock found wrong.
    pub(super) fn take_trouble(&self) -> Option<Trouble> {
        self.state.lock().trouble.take()
    }

    /// What a node says; false where it says what it can't mean.
    pub(super) fn on_node(&self, message: FromEar, now: Instant) -> bool {
        let said = match message.kind {
            Some(from_ear::Kind::Partial(words)) => Said::Partial { turn: words.turn, heard: words.heard() },
            Some(from_ear::Kind::Final(words)) => Said::Final { turn: words.turn, heard: words.heard() },
            Some(from_ear::Kind::EndOfTurn(end)) => {
                Said::EndOfTurn { turn: end.turn, back_channel: end.back_channel }
            }
            None => return false,
        };
        self.on(said, now);
        true
    }

    /// What this node's own engine says.
    pub(super) fn on_own(&self, event: RecogniserEvent, now: Instant) {
        match event {
            RecogniserEvent::Partial { turn, heard } => self.on(Said::Partial { turn, heard }, now),
            RecogniserEvent::Final { turn, heard } => self.on(Said::Final { turn, heard }, now),
            RecogniserEvent::EndOfTurn { turn, back_channel } => {
                self.on(Said::EndOfTurn { turn, back_channel }, now);
            }
            RecogniserEvent::Failed(error) => self.fails(error),
        }
    }

    fn on(&self, said: Said, now: Instant) {
        let event = {
            let mut state = self.state.lock();
            let event = state.replay.on(said);
            if matches!(event, Some(RecogniserEvent::Final { .. })) {
                let asked_at = state.asked_at.take();
                let after = asked_at.map_or(Duration::ZERO, |asked| now.saturating_duration_since(asked));
                engine_metrics::record_final(NAME, after);
                state.moves = 0;
                // The next one's patience begins with it.
                state.asked_at = state.replay.waits().then_some(now);
            }
            event
        };
        if let Some(event) = event {
            if matches!(event, RecogniserEvent::Partial { .. }) {
                engine_metrics::count_partial(NAME);
            }
            self.delivery.tell(event);
        }
    }

    /// The session is over.
    pub(super) fn fails(&self, error: Error) {
        if self.delivery.is_open() {
            engine_metrics::count_failure(NAME);
        }
        self.delivery.tell(RecogniserEvent::Failed(error));
        self.close();
    }
}

impl State {
    /// Takes what the ring holds, each mark at its place.
    fn drain(&mut self) {
        let mut piece = [0; 320];
        loop {
            while let Some(mark) = self.receiver.next_mark() {
                self.replay.mark(mark.kind);
            }
            let until = self.receiver.next_mark_at().map(|at| at.saturating_sub(self.receiver.position()));
            let most = until
                .map_or(piece.len(), |until| usize::try_from(until).unwrap_or(usize::MAX).min(piece.len()));
            let count = piece.get_mut(..most).map_or(0, |piece| self.receiver.read(piece));
            match piece.get(..count) {
                Some(samples) if count > 0 => self.replay.hear(samples),
                _ => break,
            }
        }
        let lost = self.replay.take_lost();
        if lost > 0 {
            measured::count_lost(lost, self.receiver.rate_hz());
        }
    }

    /// Gives one piece away.
    fn give(&mut self, rate_hz: u32, now: Instant) -> Give {
        let most = (rate_hz as usize * PIECE_MS / 1_000).max(1);
        match &mut self.place {
            Place::Between => Give::Done,
            Place::There(sender) => {
                if !self.replay.has_unsent() {
                    self.stuck_at = None;
                    return Give::Done;
                }
                let Ok(room) = sender.try_reserve() else {
                    self.stuck_at.get_or_insert(now);
                    return Give::Done;
                };
                self.stuck_at = None;
                let Some(piece) = self.replay.next(most) else { return Give::Done };
                if matches!(piece, Piece::Finish(_)) {
                    self.asked_at.get_or_insert(now);
                }
                if let Some(kind) = kind_of(piece) {
                    room.send(ToEar { kind: Some(kind) });
                }
                Give::Again
            }
            Place::Here { audio, listening } => {
                let room = audio.room();
                if room == 0 {
                    return Give::Done;
                }
                match self.replay.next(most.min(room)) {
                    None => return Give::Done,
                    Some(Piece::Audio(samples)) => drop(audio.write(&samples)),
                    Some(Piece::Mark(kind)) => audio.mark(kind),
                    Some(Piece::Expect(expectation)) => {
                        return Give::Expect(Arc::clone(listening), expectation);
                    }
                    Some(Piece::Finish(turn)) => return Give::Finish(Arc::clone(listening), turn),
                }
                Give::Again
            }
        }
    }

    /// What a node has taken too long for.
    fn late(&self, now: Instant, final_after: Duration, stall_after: Duration) -> Option<Trouble> {
        let Place::There(_) = self.place else { return None };
        let over = |since: Option<Instant>, after| {
            since.is_some_and(|since| now.saturating_duration_since(since) > after)
        };
        if over(self.stuck_at, stall_after) {
            return Some(Trouble::Stalled);
        }
        over(self.asked_at, final_after).then_some(Trouble::Late)
    }
}

/// A piece as it is sent; none for marks that only a voice makes.
fn kind_of(piece: Piece) -> Option<to_ear::Kind> {
    match piece {
        Piece::Audio(samples) => {
            let bytes = bytes_of(&samples);
            measured::count_bytes(Sense::Hearing, "sent", bytes.len());
            Some(to_ear::Kind::Audio(bytes))
        }
        Piece::Mark(kind) => number_of_mark(kind).map(to_ear::Kind::Mark),
        Piece::Expect(expectation) => Some(to_ear::Kind::Expect(number_of(expectation))),
        Piece::Finish(turn) => Some(to_ear::Kind::FinishTurn(turn)),
    }
}
