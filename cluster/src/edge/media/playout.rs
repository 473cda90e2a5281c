//! What a session plays: utterances one after another, as 8 kHz frames.

use std::collections::VecDeque;

use actors::call::conversation::UtteranceId;
use models::audio::{Speech, TELEPHONE_HZ};

use super::MediaEvent;
use crate::rtp::FRAME;

/// The utterances of a session.
#[derive(Debug)]
pub(super) struct Playout {
    queue: VecDeque<Playing>,
    most: usize,
}

#[derive(Debug)]
struct Playing {
    utterance: UtteranceId,
    speech: Speech,
    started: bool,
    word: Option<u32>,
}

impl Playing {
    fn ended(&self, complete: bool) -> MediaEvent {
        MediaEvent::PlaybackEnded { utterance: self.utterance, complete, last_word: self.word }
    }
}

impl Playout {
    pub(super) fn new(most: usize) -> Self {
        Self { queue: VecDeque::new(), most }
    }

    pub(super) fn play(&mut self, utterance: UtteranceId, speech: Speech, tell: &mut impl FnMut(MediaEvent)) {
        let playing = Playing { utterance, speech, started: false, word: None };
        if self.queue.len() >= self.most {
            tell(playing.ended(false));
        } else {
            self.queue.push_back(playing);
        }
    }

    /// Forgets everything and tells the end of each.
    pub(super) fn stop(&mut self, tell: &mut impl FnMut(MediaEvent)) {
        for playing in self.queue.drain(..) {
            tell(playing.ended(false));
        }
    }

    /// Fills a frame; what no utterance fills is silence.
    pub(super) fn frame(&mut self, out: &mut [i16; FRAME], tell: &mut impl FnMut(MediaEvent)) {
        let mut filled = 0;
        while let Some(playing) = self.queue.front_mut() {
            let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) else { break };
            debug_assert_eq!(playing.speech.rate_hz(), TELEPHONE_HZ);
            let read = playing.speech.read(rest);
            filled += read.samples;
            if read.samples > 0 && !playing.started {
                playing.started = true;
                tell(MediaEvent::PlaybackStarted { utterance: playing.utterance });
            }
            playing.word = read.word;
            if !read.ended {
                break;
            }
            tell(playing.ended(true));
            self.queue.pop_front();
        }
        if let Some(rest) = out.get_mut(filled..) {
            rest.fill(0);
        }
    }
}
