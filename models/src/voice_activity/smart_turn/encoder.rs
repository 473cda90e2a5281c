//! Whisper's encoder (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022).

use candle_core::{Result, Tensor};
use candle_nn::{Conv1d, Conv1dConfig, LayerNorm, Linear, Module};

use super::Shape;
use super::features::{FRAMES, MEL_BINS};
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Encoder {
    first: Conv1d,
    second: Conv1d,
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

struct Layer {
    heads: usize,
    before_attention: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    before_feed: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Encoder {
    pub(super) fn take(shape: &Shape, from: &mut Tensors) -> Result<Self> {
        let width = shape.width;
        let mut convolution = |name: &str, into: usize, stride: usize| -> Result<Conv1d> {
            let weight = from.tensor(&format!("encoder.{name}.weight"), &[width, into, 3])?;
            let bias = from.tensor(&format!("encoder.{name}.bias"), &[width])?;
            Ok(Conv1d::new(
                weight,
                Some(bias),
                Conv1dConfig { padding: 1, stride, ..Conv1dConfig::default() },
            ))
        };
        Ok(Self {
            first: convolution("conv1", MEL_BINS, 1)?,
            second: convolution("conv2", width, 2)?,
            positions: from.tensor("encoder.embed_positions.weight", &[FRAMES / 2, width])?,
            layers: (0..shape.layers).map(|layer| Layer::take(shape, layer, from)).collect::<Result<_>>()?,
            norm: from.layer_norm("encoder.layer_norm", width)?,
        })
    }

    /// (rows, bins, frames) to (rows, frames / 2, width).
    pub(super) fn forward(&self, features: &Tensor) -> Result<Tensor> {
        let frames = self.first.forward(features)?.gelu_erf()?;
        let frames = self.second.forward(&frames)?.gelu_erf()?.transpose(1, 2)?.contiguous()?;
        let mut frames = frames.broadcast_add(&self.positions)?;
        for layer in &self.layers {
            frames = layer.forward(&frames)?;
        }
        self.norm.forward(&frames)
    }
}

impl Layer {
    fn take(shape: &Shape, number: usize, from: &mut Tensors) -> Result<Self> {
        let (width, inner) = (shape.width, shape.inner);
        let name = |part: &str| format!("encoder.layers.{number}.{part}");
        Ok(Self {
            heads: shape.heads,
            before_attention: from.layer_norm(&name("self_attn_layer_norm"), width)?,
            query: from.linear(&name("self_attn.q_proj"), width, width, true)?,
            key: from.linear(&name("self_attn.k_proj"), width, width, false)?,
            value: from.linear(&name("self_attn.v_proj"), width, width, true)?,
            out: from.linear(&name("self_attn.out_proj"), width, width, true)?,
            before_feed: from.layer_norm(&name("final_layer_norm"), width)?,
            widen: from.linear(&name("fc1"), inner, width, true)?,
            narrow: from.linear(&name("fc2"), width, inner, true)?,
        })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let frames = (input + self.attend(&self.before_attention.forward(input)?)?)?;
        let wide = self.widen.forward(&self.before_feed.forward(&frames)?)?.gelu_erf()?;
        frames + self.narrow.forward(&wide)?
    }

    fn attend(&self, input: &Tensor) -> Result<Tensor> {
        let (batch, frames, width) = input.dims3()?;
        let head = width / self.heads;
        let split = |part: &Linear| {
            part.forward(input)?.reshape((batch, frames, self.heads, head))?.transpose(1, 2)?.contiguous()
        };
        let query = (split(&self.query)? / (head as f64).sqrt())?;
        let scores = query.matmul(&split(&self.key)?.transpose(2, 3)?.contiguous()?)?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?;
        let seen = weights.matmul(&split(&self.value)?)?.transpose(1, 2)?.reshape((batch, frames, width))?;
        self.out.forward(&seen)
    }
}
