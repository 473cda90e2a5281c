//! A finished piece of audio, shared by every call that plays it.

use std::sync::Arc;

/// Where a word of a clip's text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordMark {
    /// The word's index in the text, counted from 0 over whitespace-separated words.
    pub word: u32,
    /// The first sample of the word.
    pub at_sample: u64,
}

/// A whole utterance as samples, with the start of each word.
///
/// Immutable and shared: a thousand calls that play the same greeting hold one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Sampling rate in hertz.
    pub rate_hz: u32,
    /// 16-bit mono PCM.
    pub samples: Arc<[i16]>,
    /// Word starts, in order. Estimated (spread by letters) where the engine does not report them.
    pub words: Arc<[WordMark]>,
}

impl Clip {
    /// A clip whose word starts are spread over it in proportion to each word's letters.
    #[must_use]
    pub fn with_estimated_words(rate_hz: u32, samples: Arc<[i16]>, text: &str) -> Self {
        let letters: Vec<u64> = text.split_whitespace().map(|word| word.chars().count() as u64 + 1).collect();
        let all: u64 = letters.iter().sum::<u64>().max(1);
        let mut before = 0;
        let words = letters
            .iter()
            .enumerate()
            .map(|(index, count)| {
                let at_sample = samples.len() as u64 * before / all;
                before += count;
                WordMark { word: u32::try_from(index).unwrap_or(u32::MAX), at_sample }
            })
            .collect();
        Self { rate_hz, samples, words }
    }

    /// The clip's length in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.samples.len() as u64 * 1_000 / u64::from(self.rate_hz.max(1))
    }
}
