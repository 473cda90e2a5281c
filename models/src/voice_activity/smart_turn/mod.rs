//! Has the caller finished? The smart-turn v3 model (pipecat-ai/smart-turn, BSD-2) listens to how the last eight
//! seconds sound: the encoder of Whisper tiny, a pooling by attention, and a small classifier.
//!
//! It is asked once at each pause, so it keeps no state. The weights are read by the names of the PyTorch model that
//! its training script defines (`SmartTurnV3Model`): from a safetensors file, or from the published ONNX file, whose
//! 8-bit integers become floats again. Activations are floats throughout, so that a probability differs a little from
//! that of a runtime which rounds them to 8 bits as well.
//!
//! - `features`, `encoder`, `head`, `model`: the model.
//! - `onnx`, `published`: its weights out of the published file.
//! - `engine`: pauses as requests of a [`crate::request_loop`].

#[cfg(feature = "candle")]
mod encoder;
#[cfg(feature = "candle")]
mod engine;
#[cfg(feature = "candle")]
mod features;
#[cfg(feature = "candle")]
mod head;
#[cfg(feature = "candle")]
mod model;
#[cfg(feature = "candle")]
mod onnx;
#[cfg(test)]
#[cfg(feature = "candle")]
mod parity_tests;
#[cfg(feature = "candle")]
mod published;
mod settings;

#[cfg(feature = "candle")]
pub use engine::Judge;
#[cfg(feature = "candle")]
pub use model::{Shape, SmartTurn};
pub use settings::Settings;

/// The engine's name.
pub const NAME: &str = "smart-turn-v3";

/// The published weights' file, below the model's folder.
pub const WEIGHTS: &str = "smart-turn-v3.2-cpu.onnx";
