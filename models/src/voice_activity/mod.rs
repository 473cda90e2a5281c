//! Is somebody speaking?
//!
//! Pure and small: some 12 KB per call. Telephone audio goes through an energy gate first, so that silence
//! and steady noise cost next to nothing; what is loud enough is brought to 16 kHz and scored by a small
//! recurrent network (the `earshot` crate). Scores become [`Activity`] with an onset, a hangover and two
//! thresholds. It knows voice from noise, not words from coughs,
//! and not the end of a turn: [`smart_turn`] judges how a pause sounds, and the conversation puts all signs together.

mod activity;
mod background;
mod pre_roll;
mod settings;
pub mod smart_turn;

#[cfg(test)]
mod tests;

pub use activity::{Activity, VoiceActivity};
pub use pre_roll::PreRoll;
pub use settings::Settings;
