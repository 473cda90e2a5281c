//! One caller: a ring, the audio of the turns that are not answered yet, and what to do next about them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::decoder::TELEPHONE_MEAN;
use super::language_model::Business;
use crate::audio::AudioReceiver;
use crate::engine::Expectation;
use crate::engine::delivery::Delivery;
use crate::offline::ffi::CepstralMean;

/// Audio of an open turn from which on it is worth a decoder, in samples (200 ms).
const WORTH_DECODING: usize = 1_600;

/// A session as the pump and the decoder threads share it.
pub(super) struct Session {
    pub(super) business: Arc<Business>,
    pub(super) delivery: Delivery,
    pub(super) turns: Mutex<Turns>,
}

/// The turns of one session.
pub(super) struct Turns {
    receiver: AudioReceiver,
    turn_samples: usize,
    open: Turn,
    finished: VecDeque<Turn>,
    serial: u64,
    /// A decoder works on this session.
    leased: bool,
    pub(super) expectation: Expectation,
    pub(super) mean: CepstralMean,
}

/// The audio of one turn.
#[derive(Debug, Default)]
struct Turn {
    /// Unlike numbers, never used twice.
    serial: u64,
    number: u64,
    audio: Vec<i16>,
    /// How much of it a decoder had heard when it turned to somebody else.
    tried: usize,
    finished_at: Option<Instant>,
}

/// What a decoder is lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) serial: u64,
    pub(super) number: u64,
}

/// What there is of a turn from some sample on.
#[derive(Debug)]
pub(super) enum More {
    /// This audio was copied.
    Audio,
    /// Nothing yet; the caller may speak on.
    Nothing,
    /// Nothing, and the turn was finished then.
    Finished(Instant),
}

impl Turns {
    pub(super) fn new(receiver: AudioReceiver, turn_samples: usize) -> Self {
        Self {
            receiver,
            turn_samples,
            open: Turn::default(),
            finished: VecDeque::new(),
            serial: 0,
            leased: false,
            expectation: Expectation::default(),
            mean: TELEPHONE_MEAN,
        }
    }

    /// Moves what the ring holds into the open turn. Says whether it was anything.
    pub(super) fn drain(&mut self) -> bool {
        let mut piece = [0; 320];
        let mut any = false;
        loop {
            let count = self.receiver.read(&mut piece);
            while self.receiver.next_mark().is_some() {}
            if count == 0 {
                return any;
            }
            any = true;
            let room = self.turn_samples.saturating_sub(self.open.audio.len());
            self.open.audio.extend_from_slice(piece.get(..count.min(room)).unwrap_or_default());
        }
    }

    /// Closes the open turn as number `turn`.
    pub(super) fn finish(&mut self, turn: u64, now: Instant) {
        self.drain();
        self.serial += 1;
        let next = Turn { serial: self.serial, number: turn + 1, ..Turn::default() };
        let mut done = std::mem::replace(&mut self.open, next);
        done.number = turn;
        done.finished_at = Some(now);
        self.finished.push_back(done);
    }

    /// When the oldest finished turn was finished.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.finished.front().and_then(|turn| turn.finished_at)
    }

    /// A finished turn that no decoder is at.
    pub(super) fn waits(&self) -> Option<Instant> {
        self.waiting_since().filter(|_| !self.leased)
    }

    /// New audio of the open turn that no decoder is at, in samples.
    pub(super) fn unheard(&self) -> usize {
        let new = self.open.audio.len() - self.open.tried;
        if self.leased || !self.finished.is_empty() || new < WORTH_DECODING { 0 } else { new }
    }

    /// Lends the oldest turn.
    pub(super) fn lease(&mut self) -> Lease {
        self.leased = true;
        let turn = self.finished.front().unwrap_or(&self.open);
        Lease { serial: turn.serial, number: turn.number }
    }

    /// Appends up to `limit` samples after the first `heard` to `out`.
    pub(super) fn more(&self, lease: Lease, heard: usize, limit: usize, out: &mut Vec<i16>) -> More {
        let turn = match self.finished.front() {
            Some(turn) if turn.serial == lease.serial => turn,
            _ => &self.open,
        };
        let rest = turn.audio.get(heard..).unwrap_or_default();
        out.extend_from_slice(rest.get(..limit).unwrap_or(rest));
        match turn.finished_at {
            _ if !rest.is_empty() => More::Audio,
            Some(at) => More::Finished(at),
            None => More::Nothing,
        }
    }

    /// Gives back a turn that was answered.
    pub(super) fn answered(&mut self, lease: Lease) {
        self.leased = false;
        if self.finished.front().is_some_and(|turn| turn.serial == lease.serial) {
            self.finished.pop_front();
        }
    }

    /// Gives back a turn unanswered, of which `heard` samples were decoded in vain.
    pub(super) fn put_back(&mut self, lease: Lease, heard: usize) {
        self.leased = false;
        if self.open.serial == lease.serial {
            self.open.tried = heard;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{AudioSender, audio_ring};
    use crate::clock;

    fn turns(seconds: usize) -> (AudioSender, Turns) {
        let (sender, receiver) = audio_ring(8_000, 8_000);
        (sender, Turns::new(receiver, 8_000 * seconds))
    }

    #[test]
    fn a_turn_holds_what_was_written_before_it_was_finished() {
        let (mut sender, mut turns) = turns(10);
        sender.write(&[1; 2_000]);
        assert!(turns.drain());
        let live = turns.lease();
        let mut audio = Vec::new();
        assert!(matches!(turns.more(live, 0, 1_500, &mut audio), More::Audio));
        assert_eq!(audio.len(), 1_500);
        sender.write(&[2; 100]);
        turns.finish(7, clock::now());
        sender.write(&[3; 4_000]);
        turns.drain();
        audio.clear();
        assert!(matches!(turns.more(live, 2_000, 9_999, &mut audio), More::Audio));
        assert_eq!(audio, [2; 100]);
        assert!(matches!(turns.more(live, 2_100, 9_999, &mut audio), More::Finished(_)));
        assert_eq!(turns.unheard(), 0, "one turn at a time");
        turns.answered(live);
        assert_eq!(turns.unheard(), 4_000);
        assert_eq!(turns.lease(), Lease { serial: 1, number: 8 });
    }

    #[test]
    fn a_turn_is_bounded_and_what_is_put_back_waits_for_new_audio() {
        let (mut sender, mut turns) = turns(1);
        for _ in 0..3 {
            sender.write(&[1; 4_000]);
            turns.drain();
        }
        assert_eq!(turns.unheard(), 8_000);
        let lease = turns.lease();
        assert_eq!(turns.unheard(), 0);
        turns.put_back(lease, 8_000);
        assert_eq!(turns.unheard(), 0);
        assert!(turns.waits().is_none());
        turns.finish(0, clock::now());
        assert!(turns.waits().is_some());
    }
}
