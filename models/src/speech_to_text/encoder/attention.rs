//! Attention with relative positions (Dai et al., "Transformer-XL", 2019) over a ring of the past and the chunk.

use candle_core::{DType, Device, Result, Tensor};

use super::attend::Attend;
use super::{Plan, Ring};
use crate::arithmetic::{Activation, Dense};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Attention {
    heads: usize,
    left: usize,
    longest: usize,
    /// Queries, keys and values in one product.
    project: Dense,
    out: Dense,
    bias_content: Tensor,
    bias_position: Tensor,
    /// The projected positions (heads, head, distances), from the farthest behind to the farthest ahead. They don't
    /// depend on what is heard, so they are worked out once.
    positions: Tensor,
    /// Keys and values of the past, side by side.
    past: Ring,
}

impl Attention {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors, name: &str) -> Result<Self> {
        let (width, heads, bias) = (config.width, config.heads, config.attention_bias);
        let head = width / heads;
        let parts = ["q_proj", "k_proj", "v_proj"]
            .map(|part| from.linear(&format!("{name}.{part}"), width, width, bias));
        let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
        let weights: Vec<&Tensor> = parts.iter().map(|part| part.weight()).collect();
        let biases: Vec<&Tensor> = parts.iter().filter_map(|part| part.bias()).collect();
        let added = if bias { Some(Tensor::cat(&biases, 0)?) } else { None };
        let project = Dense::new(Tensor::cat(&weights, 0)?, added, Activation::None)?;
        let out = from.dense(&format!("{name}.o_proj"), &[width, width], bias, Activation::None)?;
        let by_distance = from.tensor(&format!("{name}.relative_k_proj.weight"), &[width, width])?;
        let mut bias =
            |part: &str| from.tensor(&format!("{name}.{part}"), &[heads, head])?.reshape((1, 1, heads, head));
        let (bias_content, bias_position) = (bias("bias_u")?, bias("bias_v")?);
        let (device, dtype) = (from.device().clone(), from.dtype());
        let positions = distances(config, &device)?
            .to_dtype(dtype)?
            .matmul(&by_distance.t()?)?
            .reshape(((), heads, head))?
            .permute((1, 2, 0))?
            .contiguous()?;
        let longest = config.longest_chunk();
        let past = Ring::new(slots, config.left_frames + longest, 2 * width, dtype, &device)?;
        Ok(Self {
            heads,
            left: config.left_frames,
            longest,
            project,
            out,
            bias_content,
            bias_position,
            positions,
            past,
        })
    }

    /// `input`: (batch, frames, width).
    pub(super) fn forward(&self, plan: &Plan, input: &Tensor) -> Result<Tensor> {
        let width = input.dim(2)?;
        let projected = self.project.forward(input)?;
        let query = projected.narrow(2, 0, width)?;
        self.past.put(&plan.past_put, &projected.narrow(2, width, 2 * width)?)?;
        let by_distance = self.by_distance(&query)?;
        let seen = match &plan.on_processor {
            Some(streams) => {
                let attend = Attend { heads: self.heads, left: self.left, bias: &self.bias_content, streams };
                attend.seen(&projected, &self.past, &by_distance)?
            }
            None => self.seen(plan, &query, &by_distance)?,
        };
        self.out.forward(&seen)
    }

    /// What the queries see: (batch, frames, width).
    fn seen(&self, plan: &Plan, query: &Tensor, by_distance: &Tensor) -> Result<Tensor> {
        let (batch, frames, width) = query.dims3()?;
        let head = width / self.heads;
        let all = self.past.gather(&plan.past, self.left + frames)?;
        let part = |from: usize| -> Result<Tensor> {
            let part = all.narrow(2, from, width)?.reshape((batch, self.left + frames, self.heads, head))?;
            part.transpose(1, 2)?.contiguous()
        };
        let (keys, values) = (part(0)?, part(width)?);
        let query = query.reshape((batch, frames, self.heads, head))?;
        let content = query.broadcast_add(&self.bias_content)?.transpose(1, 2)?.contiguous()?;
        let scores = content.matmul(&keys.transpose(2, 3)?.contiguous()?)?;
        let scores = (scores + self.shifted(by_distance, batch, frames)?)?;
        let scale = 1.0 / (head as f64).sqrt();
        // In 32 bits: a share of 16 bits is off by half a per cent.
        let scores = (scores.to_dtype(DType::F32)? * scale)?.broadcast_add(&plan.mask)?;
        let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(values.dtype())?;
        weights.matmul(&values)?.transpose(1, 2)?.reshape((batch, frames, width))
    }

    /// What each distance adds to the score of a frame that far away: (heads, batch times frames, distances).
    fn by_distance(&self, query: &Tensor) -> Result<Tensor> {
        let (batch, frames, width) = query.dims3()?;
        let head = width / self.heads;
        let distances = self.left + 2 * frames - 1;
        let mut positions = self.positions.narrow(2, self.longest - frames, distances)?;
        if !matches!(positions.device(), Device::Cpu) {
            positions = positions.contiguous()?;
        }
        let query = query.reshape((batch, frames, self.heads, head))?.broadcast_add(&self.bias_position)?;
        let query = query.permute((2, 0, 1, 3))?.reshape((self.heads, batch * frames, head))?;
        query.matmul(&positions)
    }

    /// [`Self::by_distance`] by frame instead: (batch, heads, frames, past and new).
    fn shifted(&self, by_distance: &Tensor, batch: usize, frames: usize) -> Result<Tensor> {
        let (heads, _, distances) = by_distance.dims3()?;
        let scores = by_distance.reshape((heads, batch, frames, distances))?;
        let scores = scores.permute((1, 0, 2, 3))?.contiguous()?;
        // Query i needs the distances from column `frames - 1 - i` on: a column of padding in front, and read as
        // rows one shorter, shifts each row by one more than the one before.
        scores
            .pad_with_zeros(3, 1, 0)?
            .reshape((batch, heads, distances + 1, frames))?
            .narrow(2, 1, distances)?
            .contiguous()?
            .reshape((batch, heads, frames, distances))?
            .narrow(3, 0, self.left + frames)
    }

    pub(super) fn clear(&self, slot: usize) -> Result<()> {
        self.past.clear(slot)
    }
}

/// The sines and cosines of all distances that a chunk can meet, the farthest behind first: (distances, width).
fn distances(config: &Config, device: &Device) -> Result<Tensor> {
    let longest = config.longest_chunk() as i64;
    let far = config.left_frames as i64 + longest - 1;
    let width = config.width;
    let values: Vec<f32> = (1 - longest..=far)
        .rev()
        .flat_map(|distance| {
            (0..width / 2).flat_map(move |pair| {
                let frequency = 10_000f32.powf(-((2 * pair) as f32 / width as f32));
                let angle = distance as f32 * frequency;
                [angle.sin(), angle.cos()]
            })
        })
        .collect();
    Tensor::from_vec(values, ((far + longest) as usize, width), device)
}
