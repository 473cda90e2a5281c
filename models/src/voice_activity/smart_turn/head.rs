//! From frames to one logit: a mean weighted by attention, and three linear layers.

use candle_core::{Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module};

use super::Shape;
use crate::speech_to_text::checkpoint::Tensors;

/// Width of the pooling's and the classifier's first layer.
const WIDE: usize = 256;
/// Width of the classifier's second.
const NARROW: usize = 64;

pub(super) struct Head {
    look: Linear,
    weigh: Linear,
    first: Linear,
    norm: LayerNorm,
    second: Linear,
    last: Linear,
}

impl Head {
    pub(super) fn take(shape: &Shape, from: &mut Tensors) -> Result<Self> {
        Ok(Self {
            look: from.linear("pool_attention.0", WIDE, shape.width, true)?,
            weigh: from.linear("pool_attention.2", 1, WIDE, true)?,
            first: from.linear("classifier.0", WIDE, shape.width, true)?,
            norm: from.layer_norm("classifier.1", WIDE)?,
            second: from.linear("classifier.4", NARROW, WIDE, true)?,
            last: from.linear("classifier.6", 1, NARROW, true)?,
        })
    }

    /// A logit for each row of (rows, frames, width).
    pub(super) fn forward(&self, frames: &Tensor) -> Result<Vec<f32>> {
        let weights = self.weigh.forward(&self.look.forward(frames)?.tanh()?)?;
        let weights = candle_nn::ops::softmax(&weights, 1)?;
        let pooled = frames.broadcast_mul(&weights)?.sum(1)?;
        let first = self.norm.forward(&self.first.forward(&pooled)?)?.gelu_erf()?;
        let logit = self.last.forward(&self.second.forward(&first)?.gelu_erf()?)?;
        logit.flatten_all()?.to_vec1()
    }
}
