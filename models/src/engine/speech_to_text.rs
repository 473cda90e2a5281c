//! Speech to text: one session per call, fed by a ring, heard through a callback.

use std::sync::Arc;

use super::{Place, PlaceKept};
use crate::Error;
use crate::audio::AudioSender;
use crate::batching::Tenant;

/// What the conversation expects to hear next; a recogniser that can narrow its search by it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Expectation {
    /// Anything the business's callers say.
    #[default]
    Open,
    /// Yes or no, and their kin.
    Confirmation,
    /// A date or a time of day.
    DateTime,
    /// Digits: a telephone number, a house number.
    Digits,
    /// A person's name, perhaps spelled.
    Name,
}

/// What a session needs to know before the caller's first word.
#[derive(Debug, Clone, Default)]
pub struct ListenRequest {
    /// Sampling rate of the audio that will be written, in hertz.
    pub rate_hz: u32,
    /// Phrases of the business's own: services, names, sentences its callers use. Recognisers with a
    /// language model weigh these up. Shared by all calls of a tenant, so compared by pointer and cached.
    pub phrases: Arc<[String]>,
}

/// One recognised word.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Word {
    /// The word, lower case, without punctuation.
    pub text: String,
    /// From 0 (a guess) to 1 (certain).
    pub confidence: f32,
    /// Where in the turn's audio it was spoken, from and to, in milliseconds; none where the engine doesn't say.
    pub times_ms: Option<(u64, u64)>,
}

/// Words of one turn so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// The words in order.
    pub words: Vec<Word>,
    /// How many of the first words no later event of the turn changes; 0 where the engine doesn't say.
    pub stable_words: usize,
}

impl Heard {
    /// The words joined by single spaces.
    #[must_use]
    pub fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The mean confidence, 0 where there is no word.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        if self.words.is_empty() {
            return 0.0;
        }
        self.words.iter().map(|word| word.confidence).sum::<f32>() / self.words.len() as f32
    }
}

/// What a session tells its callback. `turn` is the number given to [`Listening::finish_turn`], counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub enum RecogniserEvent {
    /// The turn's words so far; later events may change them.
    Partial {
        /// The turn they belong to.
        turn: u64,
        /// All words of the turn so far.
        heard: Heard,
    },
    /// The turn's words, once and for good; empty where nothing was understood.
    Final {
        /// The turn they belong to.
        turn: u64,
        /// All words of the turn.
        heard: Heard,
    },
    /// The recogniser itself has heard that the caller fell silent, where it was trained to; a later partial result
    /// takes it back. It doesn't finish the turn: [`Listening::finish_turn`] does.
    EndOfTurn {
        /// The turn it belongs to.
        turn: u64,
        /// What ended only showed that the caller listens.
        back_channel: bool,
    },
    /// The session is over and must be reopened; audio written to its ring is lost.
    Failed(Error),
}

/// Where a session's events go. Called on an engine thread: send a message and return.
pub type Listener = Box<dyn Fn(RecogniserEvent) + Send + Sync>;

/// An open session. Dropping it ends it; no event follows.
pub trait Listening: Send + Sync {
    /// Asks for the final words of everything written to the ring so far, as turn `turn`. The next sample
    /// written belongs to the next turn. Exactly one `Final` or `Failed` answers.
    fn finish_turn(&self, turn: u64);

    /// Narrows what is expected in the turns to come.
    fn expect(&self, expectation: Expectation);
}

/// A recogniser of speech.
pub trait SpeechToText: Send + Sync {
    /// The engine's name, as logged and configured.
    fn name(&self) -> &'static str;

    /// What keeps it from taking anything new, besides being full; none where it is well.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Keeps a place for a call, for its [`Self::listen_at`], and tells `kept`: at once where the engine is on this
    /// node. Asked before the call is answered, so that whoever is answered is heard. An engine that doesn't work at all
    /// keeps none and is no reason to refuse a call, which goes on by its keys.
    ///
    /// `kept` is told [`Error::Full`] where there is no place, or no time for one more, and [`Error::Failed`] where the
    /// engine is behind or being rebuilt.
    fn reserve(&self, _: Tenant, kept: PlaceKept) {
        kept(Ok(Place::default()));
    }

    /// [`Self::listen`] at a place that [`Self::reserve`] kept.
    ///
    /// # Errors
    /// As [`Self::listen`].
    fn listen_at(
        &self,
        _: &Place,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error> {
        self.listen(request, listener)
    }

    /// Opens a session. The sender goes to the media thread, which writes the caller's speech with its
    /// pre-roll, and [`crate::audio::MarkKind`] marks where voice activity starts and stops.
    ///
    /// # Errors
    /// [`Error::Full`] at the engine's bound of sessions, [`Error::Unavailable`] or [`Error::Failed`] where it
    /// can't run.
    fn listen(
        &self,
        request: ListenRequest,
        listener: Listener,
    ) -> Result<(AudioSender, Box<dyn Listening>), Error>;
}
