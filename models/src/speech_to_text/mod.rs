//! Streaming speech to text on Candle: the cache-aware FastConformer transducers
//! (`nemotron-speech-streaming-en-0.6b`; `parakeet_realtime_eou_120m-v1`, which also says when a turn has ended).
//! Noroozi et al., "Stateful Conformer with Cache-based Inference for Streaming Automatic Speech Recognition", 2023.
//!
//! Sound goes this way:
//! - [`front_end`]: samples become log-mel features, 10 ms each;
//! - [`chunks`]: features become chunks of a size that may change from step to step;
//! - [`encoder`]: eight features become one frame of 80 ms, through blocks that remember what they need of the past;
//! - [`transducer`]: frames become tokens;
//! - [`transcript`]: tokens become words with their times.
//!
//! [`model`] holds the state of many streams at once and takes a step for any of them; [`checkpoint`] reads weights
//! from a folder of the hub or from a `.nemo` file.

pub mod checkpoint;
pub mod chunks;
mod config;
mod encoder;
pub mod front_end;
pub mod model;
pub mod tokens;
pub mod transcript;
mod transducer;

#[cfg(test)]
mod parity_tests;
#[cfg(test)]
mod schedule_tests;

pub use config::Config;
pub use model::FastConformer;
