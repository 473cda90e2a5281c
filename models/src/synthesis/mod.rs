//! What every voice that works on whole utterances shares: requests, engine threads, and finished clips.
//!
//! - [`pool`]: turns a [`Synthesiser`] into a [`crate::engine::TextToSpeech`].
//! - [`cache`]: finished clips, so that a thousand calls share one greeting.
//! - [`spoken_form`]: figures, prices and addresses as words.
//! - [`level`]: every voice equally loud.

mod cache;
pub(crate) mod level;
mod pool;
mod settings;
pub(crate) mod spoken_form;

pub(crate) use pool::{Pool, Synthesiser};
pub use settings::Settings;

/// What is spoken, whoever asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Words {
    pub(crate) text: String,
    /// The voice's name; empty for the engine's default.
    pub(crate) voice: String,
    /// In hertz.
    pub(crate) rate_hz: u32,
}
