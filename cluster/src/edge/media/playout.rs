//! What a session plays: utterances one after another, as 8 kHz frames.

use std::collections::VecDeque;
use std::sync::Arc;

use actors::call::conversation::UtteranceId;
use models::audio::{Speech, TELEPHONE_HZ};

use super::MediaEvent;
use crate::rtp::FRAME;
use crate::rtp::resampler::{Kernel, Resampler};

/// Input samples read at once: a frame and a filter's length at 96 kHz.
const MOST_INPUT: usize = 2_304;

/// The filters of a thread, one per rate that an engine has.
#[derive(Debug, Default)]
pub(super) struct Kernels(Vec<Arc<Kernel>>);

impl Kernels {
    fn of(&mut self, rate_hz: u32) -> Option<Arc<Kernel>> {
        if let Some(kernel) = self.0.iter().find(|kernel| kernel.rate_hz() == rate_hz) {
            return Some(Arc::clone(kernel));
        }
        let kernel = Arc::new(Kernel::new(rate_hz)?);
        self.0.push(Arc::clone(&kernel));
        Some(kernel)
    }
}

/// The utterances of a session.
#[derive(Debug)]
pub(super) struct Playout {
    queue: VecDeque<Playing>,
    most: usize,
    starved_samples: u64,
}

#[derive(Debug)]
struct Playing {
    utterance: UtteranceId,
    speech: Speech,
    resampler: Option<Resampler>,
    /// Everything was read; the filter may still hold some of it.
    read: bool,
    started: bool,
    word: Option<u32>,
}

impl Playing {
    fn ended(&self, complete: bool) -> MediaEvent {
        let last_word = self.word.filter(|_| self.started);
        MediaEvent::PlaybackEnded { utterance: self.utterance, complete, last_word }
    }

    /// Fills the start of `out`; whether the utterance is over.
    fn fill(&mut self, out: &mut [i16]) -> (usize, bool) {
        let Some(resampler) = &mut self.resampler else {
            let read = self.speech.read(out);
            self.word = read.word;
            return (read.samples, read.ended);
        };
        if !self.read {
            let mut input = [0; MOST_INPUT];
            let wanted = resampler.wants(out.len()).min(MOST_INPUT);
            let input = input.get_mut(..wanted).unwrap_or_default();
            let read = self.speech.read(input);
            resampler.give(input.get(..read.samples).unwrap_or_default());
            self.word = read.word;
            if read.ended {
                self.read = true;
                resampler.finish();
            }
        }
        let made = resampler.take(out);
        (made, self.read && made < out.len())
    }
}

impl Playout {
    pub(super) fn new(most: usize) -> Self {
        Self { queue: VecDeque::new(), most, starved_samples: 0 }
    }

    /// Queues an utterance. One of a rate that can't be played, or one too many, is told as ended.
    pub(super) fn play(
        &mut self,
        utterance: UtteranceId,
        speech: Speech,
        kernels: &mut Kernels,
        tell: &mut impl FnMut(MediaEvent),
    ) {
        let rate_hz = speech.rate_hz();
        let kernel = kernels.of(rate_hz);
        let playable = kernel.is_some() && self.queue.len() < self.most;
        let resampler = kernel.filter(|_| rate_hz != TELEPHONE_HZ).map(Resampler::new);
        let playing = Playing { utterance, speech, resampler, read: false, started: false, word: None };
        if playable {
            self.queue.push_back(playing);
        } else {
            tracing::warn!(rate_hz, waiting = self.queue.len(), "utterance can't be played");
            tell(playing.ended(false));
        }
    }

    /// Forgets everything and tells the end of each.
    pub(super) fn stop(&mut self, tell: &mut impl FnMut(MediaEvent)) {
        for playing in self.queue.drain(..) {
            tell(playing.ended(false));
        }
    }

    /// Samples of silence that were sent because an engine was late in the middle of an utterance.
    pub(super) fn starved_samples(&self) -> u64 {
        self.starved_samples
    }

    /// The utterance that plays and its last word that has begun.
    pub(super) fn at(&self) -> Option<(UtteranceId, u32)> {
        let playing = self.queue.front().filter(|playing| playing.started)?;
        Some((playing.utterance, playing.word?))
    }

    /// Fills a frame; what no utterance fills is silence. Returns the samples that one has filled.
    pub(super) fn frame(&mut self, out: &mut [i16; FRAME], tell: &mut impl FnMut(MediaEvent)) -> usize {
        let mut filled = 0;
        while let Some(playing) = self.queue.front_mut() {
            let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) else { break };
            let (made, over) = playing.fill(rest);
            filled += made;
            if made > 0 && !playing.started {
                playing.started = true;
                tell(MediaEvent::PlaybackStarted { utterance: playing.utterance });
            }
            if !over {
                let missing = FRAME - filled;
                self.starved_samples += if playing.started { missing as u64 } else { 0 };
                break;
            }
            tell(playing.ended(true));
            self.queue.pop_front();
        }
        if let Some(rest) = out.get_mut(filled..) {
            rest.fill(0);
        }
        filled
    }
}
