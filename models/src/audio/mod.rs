//! Samples in motion: 16-bit mono PCM, in bounded rings or in finished clips.
//!
//! A ring has exactly one writer and one reader, on any threads, and never blocks, allocates or grows.
//! Audio never travels in an actor's mailbox; only events about it do.

mod clip;
pub mod g711;
mod nearest;
mod power;
mod recent;
mod resample;
mod ring;
mod speech;
mod upsample;

pub use clip::{Clip, WordMark};
pub use nearest::nearest;
pub use power::sum_of_squares;
pub use recent::Recent;
pub use resample::resample;
pub use ring::{AudioReceiver, AudioSender, CodedReceiver, Mark, MarkKind, audio_ring, coded_ring};
pub use speech::{Read, Speech};
pub use upsample::{Before, upsample};

/// The sampling rate of G.711 telephony, in hertz.
pub const TELEPHONE_HZ: u32 = 8_000;

/// One packet's worth of audio, in milliseconds. Every edge paces in these.
pub const FRAME_MS: u32 = 20;
