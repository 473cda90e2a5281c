//! What tokens say. Pieces are SentencePiece's: `▁` begins a word.

/// Begins a word.
const WORD_START: char = '\u{2581}';
/// The caller has finished: `parakeet_realtime_eou_120m-v1`'s token.
const END_OF_UTTERANCE: &str = "<EOU>";
/// The caller only showed that they listen ("mm-hm"): the same model's token.
const END_OF_BACK_CHANNEL: &str = "<EOB>";

/// A recognised token and its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token {
    /// Its number in the vocabulary.
    pub number: u32,
    /// The frame of 80 ms that said it, counted from the stream's start.
    pub frame: u64,
    /// From 0 to 1.
    pub probability: f32,
}

/// What a token is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text; the flag says that it begins a word.
    Text(&'a str, bool),
    /// The recogniser's own sign that the caller has finished.
    EndOfUtterance,
    /// The recogniser's own sign that what ended was a back-channel, not a turn.
    EndOfBackChannel,
    /// Nothing that is read.
    Nothing,
}

/// The pieces of a model, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    pieces: Vec<String>,
}

impl Vocabulary {
    /// These pieces, without the blank.
    #[must_use]
    pub fn new(pieces: Vec<String>) -> Self {
        Self { pieces }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether the model says by itself when a caller has finished.
    #[must_use]
    pub fn knows_end_of_utterance(&self) -> bool {
        self.pieces.iter().any(|piece| piece == END_OF_UTTERANCE)
    }

    /// What token `number` is.
    #[must_use]
    pub fn piece(&self, number: u32) -> Piece<'_> {
        let Some(piece) = self.pieces.get(number as usize) else { return Piece::Nothing };
        match piece.as_str() {
            END_OF_UTTERANCE => Piece::EndOfUtterance,
            END_OF_BACK_CHANNEL => Piece::EndOfBackChannel,
            "<unk>" | "<pad>" | "<s>" | "</s>" | "" => Piece::Nothing,
            text => match text.strip_prefix(WORD_START) {
                Some(rest) => Piece::Text(rest, true),
                None => Piece::Text(text, false),
            },
        }
    }
}
