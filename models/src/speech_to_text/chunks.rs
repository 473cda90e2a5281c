//! One stream's features, cut into chunks whose size may change from one to the next.

use std::collections::VecDeque;

use super::config::FEATURES_PER_FRAME;
use super::model::Chunk;

/// Features that wait to be a chunk.
#[derive(Debug)]
pub struct Chunks {
    mel_bins: usize,
    waiting: VecDeque<f32>,
    begun: bool,
}

impl Chunks {
    /// A stream of which nothing was cut yet.
    #[must_use]
    pub fn new(mel_bins: usize) -> Self {
        Self { mel_bins, waiting: VecDeque::new(), begun: false }
    }

    /// Takes features, bin by bin.
    pub fn push(&mut self, features: &[f32]) {
        self.waiting.extend(features);
    }

    /// Frames that could be cut now.
    #[must_use]
    pub fn frames(&self) -> usize {
        (self.waiting.len() / self.mel_bins + self.absent()) / FEATURES_PER_FRAME
    }

    /// The next chunk of `lookahead + 1` frames, once they are there; with `last`, what is left in whole frames.
    pub fn next(&mut self, lookahead: usize, last: bool) -> Option<Chunk> {
        let whole = lookahead + 1;
        let frames = self.frames().min(whole);
        if frames == 0 || frames < whole && !last {
            return None;
        }
        let features = (frames * FEATURES_PER_FRAME - self.absent()) * self.mel_bins;
        let begins = !std::mem::replace(&mut self.begun, true);
        Some(Chunk { features: self.waiting.drain(..features).collect(), lookahead, begins })
    }

    /// Takes back the chunk that was cut last.
    pub fn put_back(&mut self, chunk: &Chunk) {
        for feature in chunk.features.iter().rev() {
            self.waiting.push_front(*feature);
        }
        self.begun = !chunk.begins;
    }

    /// Features that a stream's first frame has none of.
    fn absent(&self) -> usize {
        if self.begun { 0 } else { FEATURES_PER_FRAME - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_chunk_has_seven_features_fewer_and_sizes_may_change() {
        let mut chunks = Chunks::new(2);
        chunks.push(&[0.5; 2 * 8]);
        assert!(chunks.next(1, false).is_none());
        chunks.push(&[0.5; 2]);
        assert_eq!(chunks.next(1, false).map(|chunk| chunk.features.len()), Some(2 * 9));
        chunks.push(&[0.5; 2 * 30]);
        assert_eq!(chunks.next(0, false).map(|chunk| chunk.features.len()), Some(2 * 8));
        assert_eq!(chunks.next(1, false).map(|chunk| chunk.features.len()), Some(2 * 16));
        assert!(chunks.next(1, false).is_none());
        assert!(chunks.next(1, true).is_none(), "six features are no frame");
        chunks.push(&[0.5; 2 * 2]);
        assert_eq!(
            chunks.next(1, true).map(|chunk| (chunk.features.len(), chunk.lookahead)),
            Some((2 * 8, 1))
        );
    }
}
