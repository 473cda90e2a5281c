//! Text to speech by flite or eSpeak NG: whole utterances, spoken on one thread, cached, with the start of each
//! word.

mod espeak_ng;
mod flite;
mod utterance;

pub use espeak_ng::espeak_ng;
pub use flite::flite;
