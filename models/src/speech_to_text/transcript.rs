//! Tokens become words with their times. A word's times are those of its tokens' frames; they lag the sound by what
//! the recogniser waits before it is sure, some 100 to 300 ms.

use super::config::FRAME_MS;
use super::tokens::{Piece, Token, Vocabulary};

/// A recognised word.
#[derive(Debug, Clone, PartialEq)]
pub struct HeardWord {
    /// As the model writes it: the larger one writes capitals and punctuation.
    pub written: String,
    /// From 0 to 1: the least certain of its tokens.
    pub probability: f32,
    /// Where the frame of its first token begins, in milliseconds from the turn's first sample.
    pub start_ms: u64,
    /// Where the frame of its last token ends.
    pub end_ms: u64,
}

impl HeardWord {
    /// Lower case, without punctuation at its ends; empty where it is nothing else.
    #[must_use]
    pub fn plain(&self) -> String {
        self.written.trim_matches(|character: char| !character.is_alphanumeric()).to_lowercase()
    }
}

/// The recogniser's own sign that the caller fell silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The caller has finished.
    Utterance,
    /// The caller only showed that they listen.
    BackChannel,
}

/// The words of one turn so far.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    words: Vec<HeardWord>,
    ending: Option<(Ending, u64)>,
}

impl Transcript {
    /// Takes tokens in the order in which they were said.
    pub fn push(&mut self, vocabulary: &Vocabulary, tokens: &[Token]) {
        for token in tokens {
            let start_ms = token.frame * u64::from(FRAME_MS);
            let end_ms = start_ms + u64::from(FRAME_MS);
            match vocabulary.piece(token.number) {
                Piece::Text(text, starts) => {
                    self.ending = None;
                    self.text(text, starts, token.probability, start_ms, end_ms);
                }
                Piece::EndOfUtterance => self.ending = Some((Ending::Utterance, end_ms)),
                Piece::EndOfBackChannel => self.ending = Some((Ending::BackChannel, end_ms)),
                Piece::Nothing => {}
            }
        }
    }

    fn text(&mut self, text: &str, starts: bool, probability: f32, start_ms: u64, end_ms: u64) {
        match self.words.last_mut() {
            // A start without text waits for the piece that has some.
            Some(word) if !starts || word.written.is_empty() => {
                if word.written.is_empty() {
                    word.start_ms = start_ms;
                }
                word.written.push_str(text);
                word.probability = word.probability.min(probability);
                word.end_ms = end_ms;
            }
            _ => self.words.push(HeardWord { written: text.to_owned(), probability, start_ms, end_ms }),
        }
    }

    /// The words so far; the last may still be growing.
    #[must_use]
    pub fn words(&self) -> &[HeardWord] {
        let growing_from_nothing = self.words.last().is_some_and(|word| word.written.is_empty());
        self.words.get(..self.words.len() - usize::from(growing_from_nothing)).unwrap_or_default()
    }

    /// How many of the words can't change any more: greedy tokens are never taken back, so all but the last, and
    /// the last too once the recogniser has said that the caller fell silent.
    #[must_use]
    pub fn stable_words(&self) -> usize {
        let begun = self.words.len() - self.words().len();
        match self.ending {
            Some(_) => self.words().len(),
            None => (self.words().len() + begun).saturating_sub(1),
        }
    }

    /// Whether the recogniser itself says that the caller fell silent, and since when in milliseconds of the turn;
    /// a word after it takes it back.
    #[must_use]
    pub fn ending(&self) -> Option<(Ending, u64)> {
        self.ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let pieces = ["▁Half", "▁p", "ast", "▁two", ".", "<EOU>", "<EOB>", "▁", "▁it", "<unk>"];
        Vocabulary::new(pieces.map(str::to_owned).to_vec())
    }

    fn said(tokens: &[(u32, u64)]) -> Transcript {
        let mut transcript = Transcript::default();
        for (number, frame) in tokens {
            transcript.push(&vocabulary(), &[Token { number: *number, frame: *frame, probability: 0.5 }]);
        }
        transcript
    }

    #[test]
    fn pieces_become_words_with_times() {
        let transcript = said(&[(0, 3), (1, 5), (2, 7), (9, 8), (3, 9), (4, 9)]);
        let words: Vec<String> = transcript.words().iter().map(HeardWord::plain).collect();
        assert_eq!(words, ["half", "past", "two"]);
        let past = &transcript.words()[1];
        assert_eq!((past.start_ms, past.end_ms), (400, 640));
        assert_eq!(transcript.words()[2].written, "two.");
    }

    #[test]
    fn all_but_the_word_that_grows_is_stable() {
        assert_eq!(said(&[]).stable_words(), 0);
        assert_eq!(said(&[(0, 1), (1, 2)]).stable_words(), 1);
        assert_eq!(said(&[(0, 1), (7, 2)]).stable_words(), 1);
        assert_eq!(said(&[(0, 1), (7, 2)]).words().len(), 1);
        assert_eq!(said(&[(0, 1), (1, 2), (5, 3)]).stable_words(), 2);
        let spelled = said(&[(0, 1), (7, 2), (2, 3)]);
        assert_eq!(spelled.words()[1].written, "ast");
        assert_eq!(spelled.words()[1].start_ms, 240);
    }

    #[test]
    fn the_recognisers_own_ending_is_taken_back_by_another_word() {
        assert_eq!(said(&[(0, 1), (5, 4)]).ending(), Some((Ending::Utterance, 400)));
        assert_eq!(said(&[(0, 1), (6, 4)]).ending(), Some((Ending::BackChannel, 400)));
        assert_eq!(said(&[(0, 1), (5, 4), (3, 9)]).ending(), None);
    }
}
