//! Speech to text by pocketsphinx: small, old, at home on any machine, and good at what a business's callers say
//! once it knows the business's words.
//!
//! - [`recogniser`]: sessions and the threads that they share.
//! - [`session`]: one caller's audio, until it is answered.
//! - [`worker`]: which caller a decoder hears next.
//! - [`decoder`]: a business's decoder and its language models.
//! - [`language_model`]: what the callers of a business probably say.
//! - [`dictionary`], [`letter_to_sound`]: how words sound.
//! - [`telephone_band`]: telephone audio for a model that was trained on better.

mod decoder;
mod dictionary;
mod language_model;
mod letter_to_sound;
mod recogniser;
mod session;
mod settings;
mod telephone_band;
mod worker;

pub use recogniser::Recogniser;
pub use settings::Settings;

const NAME: &str = "pocketsphinx";
