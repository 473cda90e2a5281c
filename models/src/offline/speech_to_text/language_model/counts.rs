//! How often words follow each other, up to three in a row.

use std::collections::HashMap;

/// Word numbers of the sentence's start and end; words proper begin at [`FIRST_WORD`].
pub(super) const START: u32 = 0;
pub(super) const END: u32 = 1;
pub(super) const FIRST_WORD: u32 = 2;

/// Weighted counts of n-grams.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) one: HashMap<u32, f32>,
    pub(super) two: HashMap<(u32, u32), f32>,
    pub(super) three: HashMap<(u32, u32, u32), f32>,
    /// Sentences counted.
    pub(super) sentences: f32,
}

impl Counts {
    /// Counts a sentence of word numbers.
    pub(super) fn add(&mut self, sentence: &[u32]) {
        let (mut before, mut last) = (None, START);
        self.sentences += 1.0;
        for word in sentence.iter().copied().chain([END]) {
            *self.one.entry(word).or_default() += 1.0;
            *self.two.entry((last, word)).or_default() += 1.0;
            if let Some(before) = before {
                *self.three.entry((before, last, word)).or_default() += 1.0;
            }
            (before, last) = (Some(last), word);
        }
    }

    /// Adds `other`, scaled so that its sentences weigh `sentences`.
    pub(super) fn mix(&mut self, other: &Self, sentences: f32) {
        if other.sentences == 0.0 {
            return;
        }
        let scale = sentences / other.sentences;
        self.sentences += sentences;
        for (key, count) in &other.one {
            *self.one.entry(*key).or_default() += count * scale;
        }
        for (key, count) in &other.two {
            *self.two.entry(*key).or_default() += count * scale;
        }
        for (key, count) in &other.three {
            *self.three.entry(*key).or_default() += count * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_counts_its_ends_too() {
        let mut counts = Counts::default();
        counts.add(&[5, 6]);
        assert_eq!(counts.two.len(), 3);
        assert_eq!(counts.three.get(&(START, 5, 6)), Some(&1.0));
        assert_eq!(counts.three.get(&(5, 6, END)), Some(&1.0));
        let mut mixed = Counts::default();
        mixed.mix(&counts, 10.0);
        assert_eq!(mixed.one.get(&6), Some(&10.0));
        assert_eq!(mixed.sentences, 10.0);
    }
}
