//! The messages. Tags are never used again for something else.

use crate::audio::MarkKind;
use crate::engine::{self, Expectation, Heard};

/// From a caller's side to a recogniser.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct ToEar {
    #[prost(oneof = "to_ear::Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub(in crate::remote) kind: Option<to_ear::Kind>,
}

pub(in crate::remote) mod to_ear {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(in crate::remote) enum Kind {
        /// First, or after what keeps a place; once.
        #[prost(message, tag = "1")]
        Open(super::Open),
        /// 16-bit mono PCM, little-endian.
        #[prost(bytes = "vec", tag = "2")]
        Audio(Vec<u8>),
        /// A mark at this place of the audio.
        #[prost(uint32, tag = "3")]
        Mark(u32),
        /// The turn with this number ends here; counted from 0 on each stream.
        #[prost(uint64, tag = "4")]
        FinishTurn(u64),
        /// What is expected in the turns to come.
        #[prost(uint32, tag = "5")]
        Expect(u32),
        /// First, for a caller who is to be heard later.
        #[prost(message, tag = "6")]
        Keep(super::Keep),
    }
}

/// A place for a call that is not answered yet.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Keep {
    /// Who shares the engine fairly with others.
    #[prost(uint64, tag = "1")]
    pub(in crate::remote) tenant: u64,
}

/// A session's beginning.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Open {
    #[prost(uint32, tag = "1")]
    pub(in crate::remote) rate_hz: u32,
    #[prost(string, repeated, tag = "2")]
    pub(in crate::remote) phrases: Vec<String>,
    #[prost(uint32, tag = "3")]
    pub(in crate::remote) expectation: u32,
    /// Who shares the engine fairly with others.
    #[prost(uint64, tag = "4")]
    pub(in crate::remote) tenant: u64,
}

/// From a recogniser.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct FromEar {
    #[prost(oneof = "from_ear::Kind", tags = "1, 2, 3")]
    pub(in crate::remote) kind: Option<from_ear::Kind>,
}

pub(in crate::remote) mod from_ear {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(in crate::remote) enum Kind {
        /// A turn's words so far.
        #[prost(message, tag = "1")]
        Partial(super::Words),
        /// A turn's words.
        #[prost(message, tag = "2")]
        Final(super::Words),
        /// The recogniser has heard the turn's end.
        #[prost(message, tag = "3")]
        EndOfTurn(super::EndOfTurn),
    }
}

/// Words of a turn.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Words {
    #[prost(uint64, tag = "1")]
    pub(in crate::remote) turn: u64,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::remote) words: Vec<Word>,
    #[prost(uint32, tag = "3")]
    pub(in crate::remote) stable: u32,
}

/// One word.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Word {
    #[prost(string, tag = "1")]
    pub(in crate::remote) text: String,
    #[prost(float, tag = "2")]
    pub(in crate::remote) confidence: f32,
    #[prost(uint64, optional, tag = "3")]
    pub(in crate::remote) start_ms: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub(in crate::remote) end_ms: Option<u64>,
}

/// A recogniser's own end of turn.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct EndOfTurn {
    #[prost(uint64, tag = "1")]
    pub(in crate::remote) turn: u64,
    #[prost(bool, tag = "2")]
    pub(in crate::remote) back_channel: bool,
}

/// An utterance.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Say {
    #[prost(string, tag = "1")]
    pub(in crate::remote) text: String,
    #[prost(string, tag = "2")]
    pub(in crate::remote) voice: String,
    #[prost(uint32, tag = "3")]
    pub(in crate::remote) rate_hz: u32,
    #[prost(message, optional, tag = "4")]
    pub(in crate::remote) resume: Option<Resume>,
    /// Who shares the engine fairly with others; 0 from peers that don't say.
    #[prost(uint64, tag = "5")]
    pub(in crate::remote) tenant: u64,
    /// After this time the beginning is of no use any more; 0 from peers that don't say.
    #[prost(uint64, tag = "6")]
    pub(in crate::remote) within_ms: u64,
}

/// What of an utterance was delivered before its node was lost.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Resume {
    /// Who said it.
    #[prost(string, tag = "1")]
    pub(in crate::remote) engine: String,
    /// Samples that were delivered.
    #[prost(uint64, tag = "2")]
    pub(in crate::remote) samples: u64,
    /// Words of the text that had begun.
    #[prost(uint32, tag = "3")]
    pub(in crate::remote) words: u32,
}

/// From a voice.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct FromVoice {
    #[prost(oneof = "from_voice::Kind", tags = "1, 2, 3, 4")]
    pub(in crate::remote) kind: Option<from_voice::Kind>,
}

pub(in crate::remote) mod from_voice {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(in crate::remote) enum Kind {
        /// Who says it: first, once.
        #[prost(string, tag = "1")]
        Begun(String),
        /// 16-bit mono PCM, little-endian.
        #[prost(bytes = "vec", tag = "2")]
        Audio(Vec<u8>),
        /// The text's word with this index begins here.
        #[prost(uint32, tag = "3")]
        Word(u32),
        /// Nothing follows.
        #[prost(bool, tag = "4")]
        End(bool),
    }
}

/// Texts to be embedded.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Embed {
    /// The model: directions of different ones can't be compared.
    #[prost(string, tag = "1")]
    pub(in crate::remote) model: String,
    #[prost(uint64, tag = "2")]
    pub(in crate::remote) tenant: u64,
    #[prost(string, repeated, tag = "3")]
    pub(in crate::remote) texts: Vec<String>,
    #[prost(uint64, tag = "4")]
    pub(in crate::remote) within_ms: u64,
}

/// A direction per text.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Embedded {
    /// 32-bit floats, little-endian.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(in crate::remote) directions: Vec<Vec<u8>>,
}

/// A pause to be judged.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Judge {
    /// The turn up to it: 16-bit mono PCM at 8 kHz, little-endian.
    #[prost(bytes = "vec", tag = "1")]
    pub(in crate::remote) audio: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(in crate::remote) tenant: u64,
    #[prost(uint64, tag = "3")]
    pub(in crate::remote) within_ms: u64,
}

/// How likely it is that the caller has finished, from 0 to 1.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Judged {
    #[prost(float, tag = "1")]
    pub(in crate::remote) finished: f32,
}

/// A question after the node's state.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Look {}

/// What a sense has room for.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Room {
    /// Its engine's name; empty where there is none.
    #[prost(string, tag = "1")]
    pub(in crate::remote) engine: String,
    #[prost(uint32, tag = "2")]
    pub(in crate::remote) open: u32,
    #[prost(uint32, tag = "3")]
    pub(in crate::remote) most: u32,
}

/// The node's state.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::remote) struct Rooms {
    /// Whether it takes new streams.
    #[prost(bool, tag = "1")]
    pub(in crate::remote) ready: bool,
    #[prost(message, optional, tag = "2")]
    pub(in crate::remote) hearing: Option<Room>,
    #[prost(message, optional, tag = "3")]
    pub(in crate::remote) speaking: Option<Room>,
    #[prost(message, optional, tag = "4")]
    pub(in crate::remote) comparing: Option<Room>,
    #[prost(message, optional, tag = "5")]
    pub(in crate::remote) pausing: Option<Room>,
}

impl Words {
    pub(in crate::remote) fn of(turn: u64, heard: &Heard) -> Self {
        let words = heard.words.iter().map(|word| Word {
            text: word.text.clone(),
            confidence: word.confidence,
            start_ms: word.times_ms.map(|(start, _)| start),
            end_ms: word.times_ms.map(|(_, end)| end),
        });
        Self { turn, words: words.collect(), stable: u32::try_from(heard.stable_words).unwrap_or(u32::MAX) }
    }

    pub(in crate::remote) fn heard(self) -> Heard {
        let count = self.words.len();
        let words = self.words.into_iter().map(|word| engine::Word {
            text: word.text,
            confidence: if word.confidence.is_finite() { word.confidence.clamp(0.0, 1.0) } else { 0.0 },
            times_ms: word.start_ms.zip(word.end_ms),
        });
        Heard { words: words.collect(), stable_words: (self.stable as usize).min(count) }
    }
}

/// The number of what is expected.
pub(in crate::remote) fn number_of(expectation: Expectation) -> u32 {
    match expectation {
        Expectation::Open => 0,
        Expectation::Confirmation => 1,
        Expectation::DateTime => 2,
        Expectation::Digits => 3,
        Expectation::Name => 4,
    }
}

/// What is expected by its number; what a newer peer may expect is open.
pub(in crate::remote) fn expectation_of(number: u32) -> Expectation {
    match number {
        1 => Expectation::Confirmation,
        2 => Expectation::DateTime,
        3 => Expectation::Digits,
        4 => Expectation::Name,
        _ => Expectation::Open,
    }
}

/// The number of a mark; none for those that only a voice makes.
pub(in crate::remote) fn number_of_mark(kind: MarkKind) -> Option<u32> {
    match kind {
        MarkKind::SpeechStarted => Some(1),
        MarkKind::SpeechStopped => Some(2),
        MarkKind::Word(_) | MarkKind::End => None,
    }
}

/// A mark by its number.
pub(in crate::remote) fn mark_of(number: u32) -> Option<MarkKind> {
    match number {
        1 => Some(MarkKind::SpeechStarted),
        2 => Some(MarkKind::SpeechStopped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_over_the_network_and_back() {
        let word = |text: &str, times_ms| engine::Word { text: text.into(), confidence: 0.5, times_ms };
        let heard = Heard { words: vec![word("a", Some((1, 2))), word("b", None)], stable_words: 1 };
        assert_eq!(Words::of(3, &heard).heard(), heard);
        let odd = Words { stable: 9, words: vec![Word { confidence: f32::NAN, ..Word::default() }], turn: 0 };
        let read = odd.heard();
        assert_eq!((read.stable_words, read.words[0].confidence), (1, 0.0));
        for number in 0..5 {
            assert_eq!(number_of(expectation_of(number)), number);
        }
        for number in 1..3 {
            assert_eq!(mark_of(number).and_then(number_of_mark), Some(number));
        }
    }
    /// An utterance as peers ask for it that know nothing of its tenant and deadline.
    #[derive(Clone, PartialEq, prost::Message)]
    struct OldSay {
        #[prost(string, tag = "1")]
        text: String,
        #[prost(string, tag = "2")]
        voice: String,
        #[prost(uint32, tag = "3")]
        rate_hz: u32,
    }

    #[test]
    fn older_and_newer_peers_read_each_other() {
        use prost::Message;
        let old = OldSay { text: "hello".into(), voice: "slt".into(), rate_hz: 8_000 };
        let new = Say::decode(old.encode_to_vec().as_slice()).expect("readable");
        assert_eq!((new.text.as_str(), new.tenant, new.within_ms), ("hello", 0, 0));
        let new = Say { tenant: 7, within_ms: 1_500, ..new };
        assert_eq!(OldSay::decode(new.encode_to_vec().as_slice()).expect("readable"), old);
    }
}
