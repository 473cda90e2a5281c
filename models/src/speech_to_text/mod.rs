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
//! from a folder of the hub or from a `.nemo` file; [`recogniser`] is the engine, with a [`session`] for each caller.
//! All but the settings needs the feature `candle`.

#[cfg(feature = "candle")]
pub mod checkpoint;
#[cfg(feature = "candle")]
pub mod chunks;
#[cfg(feature = "candle")]
mod config;
#[cfg(feature = "candle")]
mod encoder;
#[cfg(feature = "candle")]
pub mod front_end;
#[cfg(feature = "candle")]
pub mod model;
#[cfg(feature = "candle")]
mod recogniser;
#[cfg(feature = "candle")]
mod session;
mod settings;
#[cfg(feature = "candle")]
mod song;
#[cfg(feature = "candle")]
pub mod tokens;
#[cfg(feature = "candle")]
pub mod transcript;
#[cfg(feature = "candle")]
mod transducer;
#[cfg(feature = "candle")]
mod turn;

#[cfg(feature = "candle")]
#[cfg(test)]
mod parity_tests;
#[cfg(feature = "candle")]
#[cfg(test)]
mod recogniser_tests;
#[cfg(feature = "candle")]
#[cfg(test)]
mod schedule_tests;

#[cfg(feature = "candle")]
pub use config::Config;
#[cfg(feature = "candle")]
pub use model::FastConformer;
#[cfg(feature = "candle")]
pub use recogniser::Recogniser;
pub use settings::Settings;
