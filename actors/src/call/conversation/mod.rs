//! ◇ The conversation.

mod effect;
mod input;

pub use effect::{Effect, ExpectationKind, IgnoredWhy, Utterance, UtteranceId};
pub use input::{Input, PlaybackEnd};
