//! The model as a whole.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::encoder::Encoder;
use super::features::{FRAMES, Features, MEL_BINS};
use super::head::Head;
use super::published;
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
    /// Reads a safetensors file, or the published ONNX file.
    ///
    /// # Errors
    /// [`LoadError`], which names the tensors that are missing or too many.
    pub fn read(file: &Path, shape: &Shape, device: &Device) -> Result<Self, LoadError> {
        let unreadable = |why: String| LoadError::Unreadable { file: file.into(), why };
        let is_onnx = file.extension().is_some_and(|extension| extension == "onnx");
        let held = if is_onnx {
            let bytes = std::fs::read(file).map_err(|error| unreadable(error.to_string()))?;
            published::weights(&bytes).map_err(unreadable)?
        } else {
            let held = candle_core::safetensors::load(file, &Device::Cpu);
            held.map_err(|error| unreadable(error.to_string()))?.into_iter().collect()
        };
        Self::new(Tensors::new(held, device), shape)
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
        let of_one = self.probabilities(&[samples])?;
        of_one.first().copied().ok_or_else(|| candle_core::Error::Msg("no probability came out".into()))
    }

    /// The same for several turns in one pass.
    ///
    /// # Errors
    /// The device fails.
    pub fn probabilities(&self, turns: &[&[i16]]) -> candle_core::Result<Vec<f32>> {
        let logits = self.head.forward(&self.encode(turns)?)?;
        Ok(logits.into_iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect())
    }

    pub(super) fn encode(&self, turns: &[&[i16]]) -> candle_core::Result<Tensor> {
        let features: Vec<f32> = turns.iter().flat_map(|samples| self.features.of(samples)).collect();
        let features = Tensor::from_vec(features, (turns.len(), MEL_BINS, FRAMES), &self.device)?;
        self.encoder.forward(&features)
    }
}
