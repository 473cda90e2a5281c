//! The convolution module: a gate, a causal depthwise convolution over time, and back.

use candle_core::{Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module};

use super::{Plan, Ring};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Convolution {
    gate: Linear,
    /// One weight for each tap, the oldest first, and channel: (taps, width).
    taps: Tensor,
    bias: Option<Tensor>,
    norm: LayerNorm,
    back: Linear,
    tail: Ring,
    tail_frames: usize,
}

impl Convolution {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors, name: &str) -> Result<Self> {
        let (width, kernel, bias) = (config.width, config.kernel, config.convolution_bias);
        let taps = from.tensor(&format!("{name}.depthwise_conv.weight"), &[width, 1, kernel])?;
        Ok(Self {
            gate: from.folded(&format!("{name}.pointwise_conv1"), &[2 * width, width, 1], bias)?,
            taps: taps.reshape((width, kernel))?.t()?.contiguous()?,
            bias: bias.then(|| from.tensor(&format!("{name}.depthwise_conv.bias"), &[width])).transpose()?,
            norm: from.layer_norm(&format!("{name}.norm"), width)?,
            back: from.folded(&format!("{name}.pointwise_conv2"), &[width, width, 1], bias)?,
            tail: Ring::new(slots, kernel - 1, width, from.device())?,
            tail_frames: kernel - 1,
        })
    }

    pub(super) fn forward(&self, plan: &Plan, input: &Tensor) -> Result<Tensor> {
        let gated = self.gate.forward(input)?;
        let width = gated.dim(2)? / 2;
        let open = candle_nn::ops::sigmoid(&gated.narrow(2, width, width)?.contiguous()?)?;
        let new = (gated.narrow(2, 0, width)? * open)?;
        let past = self.tail.gather(&plan.tail)?.broadcast_mul(&plan.tail_mask)?;
        self.tail.put(&plan.tail_put, &plan.kept(&new, self.tail_frames)?)?;
        let line = Tensor::cat(&[&past, &new], 1)?;
        // A grouped convolution of Candle's is one convolution for each channel; nine products and sums are not.
        let mut sum = match &self.bias {
            Some(bias) => bias.reshape((1, 1, width))?.broadcast_as(new.shape())?.contiguous()?,
            None => new.zeros_like()?,
        };
        for tap in 0..=self.tail_frames {
            let weight = self.taps.get(tap)?;
            sum = (sum + line.narrow(1, tap, plan.frames)?.broadcast_mul(&weight)?)?;
        }
        self.back.forward(&self.norm.forward(&sum)?.silu()?)
    }

    pub(super) fn clear(&self, slot: usize) -> Result<()> {
        self.tail.clear(slot)
    }
}
