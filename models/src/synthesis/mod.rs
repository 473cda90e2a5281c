//! What every voice that works on whole utterances shares: a queue, engine threads, and finished clips.
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
