//! Has the caller finished? The smart-turn v3 model (pipecat-ai/smart-turn, BSD-2) listens to how the last eight
//! seconds sound: the encoder of Whisper tiny, a pooling by attention, and a small classifier.
//!
//! It is asked once at each pause, so it keeps no state. The weights are read by the names of the PyTorch model that
//! its training script defines (`SmartTurnV3Model`), from a safetensors file; the published ONNX file has its
//! matrices under made-up names and must be converted once.

mod encoder;
mod features;
mod head;
mod model;
#[cfg(test)]
mod parity_tests;

pub use model::{Shape, SmartTurn};
