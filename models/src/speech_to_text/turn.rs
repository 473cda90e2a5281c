//! One turn of one caller: samples in, chunks for the model out, what it said of them in again, words out.

use std::sync::Arc;

use super::chunks::Chunks;
use super::config::FRAME_MS;
use super::front_end::{FilterBank, LogMel, MODEL_HZ, Upsampler};
use super::model::{Chunk, Decoded};
use super::tokens::{Token, Vocabulary};
use super::transcript::Transcript;
use super::{Config, Settings};
use crate::audio::TELEPHONE_HZ;

/// What all turns of an engine share.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) config: Config,
    pub(super) vocabulary: Vocabulary,
    pub(super) bank: Arc<FilterBank>,
}

/// A turn.
#[derive(Debug)]
pub(super) struct Turn {
    shape: Arc<Shape>,
    upsampler: Option<Upsampler>,
    front_end: LogMel,
    chunks: Chunks,
    /// Samples at 16 kHz so far, and the most.
    heard: u64,
    most: u64,
    wide: Vec<i16>,
    features: Vec<f32>,
    finished: bool,
    /// Chunks given out and not answered.
    waiting: usize,
    answered_frames: u64,
    pub(super) transcript: Transcript,
}

impl Turn {
    pub(super) fn new(shape: Arc<Shape>, settings: &Settings, rate_hz: u32) -> Self {
        Self {
            upsampler: (rate_hz == TELEPHONE_HZ).then(Upsampler::default),
            front_end: LogMel::new(Arc::clone(&shape.bank)),
            chunks: Chunks::new(shape.config.mel_bins),
            shape,
            heard: 0,
            most: u64::from(settings.turn_seconds) * u64::from(MODEL_HZ),
            wide: Vec::new(),
            features: Vec::new(),
            finished: false,
            waiting: 0,
            answered_frames: 0,
            transcript: Transcript::default(),
        }
    }

    /// Takes samples at the session's rate.
    pub(super) fn hear(&mut self, samples: &[i16]) {
        let mut wide = std::mem::take(&mut self.wide);
        wide.clear();
        match &mut self.upsampler {
            Some(upsampler) => upsampler.push(samples, &mut wide),
            None => wide.extend_from_slice(samples),
        }
        let room = usize::try_from(self.most - self.heard).unwrap_or(usize::MAX);
        wide.truncate(room);
        self.heard += wide.len() as u64;
        self.front_end.push(&wide, &mut self.features);
        self.chunks.push(&self.features);
        self.features.clear();
        self.wide = wide;
    }

    /// Nothing more was said: silence follows, of which the model makes the rest of the words.
    pub(super) fn finish(&mut self, settings: &Settings) {
        if self.heard > 0 && !self.finished {
            self.most = u64::MAX;
            // The features of a whole frame more, so that no sound is left in a part of one.
            let flush_ms = settings.flush_ms + FRAME_MS;
            let rate_hz = if self.upsampler.is_some() { TELEPHONE_HZ } else { MODEL_HZ };
            self.hear(&vec![0; flush_ms as usize * rate_hz as usize / 1_000]);
        }
        self.finished = true;
    }

    /// The next chunk for the model, at the pace that the engine asks for, if there is enough for one.
    pub(super) fn next_chunk(&mut self, settings: &Settings, pace: usize) -> Option<Chunk> {
        let waiting_ms = self.chunks.frames() as u64 * u64::from(FRAME_MS);
        let lookahead = settings.lookahead(&self.shape.config.lookaheads, waiting_ms, pace);
        let chunk = self.chunks.next(lookahead, self.finished)?;
        self.waiting += 1;
        Some(chunk)
    }

    /// A chunk that was given out comes back unheard, and stays the next.
    pub(super) fn put_back(&mut self, chunk: &Chunk) {
        self.waiting -= 1;
        self.chunks.put_back(chunk);
    }

    /// The model's answer to the oldest chunk that waits; whether it brought tokens.
    pub(super) fn answered(&mut self, decoded: &Decoded) -> bool {
        self.waiting = self.waiting.saturating_sub(1);
        let before = self.answered_frames;
        self.answered_frames += decoded.frames as u64;
        let placed: Vec<Token> =
            decoded.tokens.iter().map(|token| Token { frame: token.frame + before, ..*token }).collect();
        self.transcript.push(&self.shape.vocabulary, &placed);
        !placed.is_empty()
    }

    /// Whether the model has chunks of it that it has not answered.
    pub(super) fn waits(&self) -> bool {
        self.waiting > 0
    }

    /// Whether its words are final.
    pub(super) fn is_over(&self) -> bool {
        self.finished && self.waiting == 0 && (self.chunks.frames() == 0 || self.heard == 0)
    }
}
