//! The model as a whole.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::encoder::Encoder;
use super::features::{FRAMES, Features, MEL_BINS};
use super::head::Head;
use crate::speech_to_text::checkpoint::{LoadError, Tensors};

/// The size of the encoder; Whisper tiny's by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Width.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Inner width of the feed-forward layers.
    pub inner: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { width: 384, layers: 4, heads: 6, inner: 1_536 }
    }
}

/// Says how probably a caller who paused has finished.
pub struct SmartTurn {
    features: Features,
    encoder: Encoder,
    head: Head,
    device: Device,
}

impl SmartTurn {
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// [`LoadError`], which names the tensors that are missing or too many.
    pub fn read(file: &Path, shape: &Shape, device: &Device) -> Result<Self, LoadError> {
        let held = candle_core::safetensors::load(file, &Device::Cpu)
            .map_err(|error| LoadError::Unreadable { file: file.into(), why: error.to_string() })?;
        Self::new(Tensors::new(held.into_iter().collect(), device), shape)
    }

    /// Makes the model of these tensors.
    ///
    /// # Errors
    /// [`LoadError`], which names the tensors that are missing or too many.
    pub fn new(mut tensors: Tensors, shape: &Shape) -> Result<Self, LoadError> {
        let encoder = Encoder::take(shape, &mut tensors)?;
        let head = Head::take(shape, &mut tensors)?;
        let device = tensors.device().clone();
        tensors.finish()?;
        Ok(Self { features: Features::new(), encoder, head, device })
    }

    /// From 0 (will go on) to 1 (has finished) for a turn's samples at 16 kHz up to the pause; the last eight
    /// seconds count.
    ///
    /// # Errors
    /// The device fails.
    pub fn probability(&self, samples: &[i16]) -> candle_core::Result<f32> {
        let logit = self.head.forward(&self.encode(samples)?)?;
        Ok(1.0 / (1.0 + (-logit).exp()))
    }

    pub(super) fn encode(&self, samples: &[i16]) -> candle_core::Result<Tensor> {
        let features = Tensor::from_vec(self.features.of(samples), (1, MEL_BINS, FRAMES), &self.device)?;
        self.encoder.forward(&features)
    }
}
