//! One caller of the fake recogniser.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::tone_code::{Decoder, ReadWord};
use super::{Control, Fault};
use crate::Error;
use crate::audio::AudioReceiver;
use crate::engine::{Heard, RecogniserEvent, Word};

/// The confidence of a word whose check sum is wrong.
const SPOILED: f32 = 0.1;

pub(super) struct Session {
    receiver: AudioReceiver,
    decoder: Decoder,
    control: Control,
    words: Vec<Word>,
    turn: u64,
    pending: VecDeque<(Instant, RecogniserEvent)>,
}

impl Session {
    pub(super) fn new(receiver: AudioReceiver, control: Control) -> Self {
        let decoder = Decoder::new(receiver.rate_hz());
        Self { receiver, decoder, control, words: Vec::new(), turn: 0, pending: VecDeque::new() }
    }

    /// Reads what the ring holds; new words become a partial result.
    pub(super) fn listen(&mut self, now: Instant) {
        if self.drain() {
            let event = if self.control.suffer(Fault::FailInSpeech) {
                RecogniserEvent::Failed(failed("told to fail in speech"))
            } else {
                RecogniserEvent::Partial {
                    turn: self.turn,
                    heard: Heard { words: self.words.clone(), ..Heard::default() },
                }
            };
            self.pending.push_back((now, event));
        }
    }

    pub(super) fn finish_turn(&mut self, turn: u64, now: Instant) {
        self.drain();
        self.decoder.flush();
        self.collect();
        let said = Heard { words: std::mem::take(&mut self.words), ..Heard::default() };
        self.turn = turn + 1;
        if self.control.suffer(Fault::HangTurn(turn)) {
            return;
        }
        let event = if self.control.suffer(Fault::FailTurn(turn)) {
            RecogniserEvent::Failed(failed("told to fail this turn"))
        } else {
            RecogniserEvent::Final { turn, heard: self.control.take_turn().unwrap_or(said) }
        };
        let due = now + Duration::from_millis(self.control.delays_ms().0);
        self.pending.push_back((due, event));
    }

    /// The next event whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<RecogniserEvent> {
        self.pending.pop_front_if(|(due, _)| *due <= now).map(|(_, event)| event)
    }

    fn drain(&mut self) -> bool {
        let mut piece = [0; 320];
        loop {
            let count = self.receiver.read(&mut piece);
            while self.receiver.next_mark().is_some() {}
            match piece.get(..count) {
                Some(audio) if count > 0 => self.decoder.read(audio),
                _ => break,
            }
        }
        self.collect()
    }

    fn collect(&mut self) -> bool {
        let read = self.decoder.take_words();
        let new = !read.is_empty();
        self.words.extend(read.into_iter().map(|ReadWord { text, intact }| Word {
            text,
            confidence: if intact { 1.0 } else { SPOILED },
            ..Word::default()
        }));
        new
    }
}

fn failed(why: &str) -> Error {
    Error::Failed { engine: super::recogniser::NAME, why: why.into() }
}
