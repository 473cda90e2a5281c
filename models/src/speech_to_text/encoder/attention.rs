//! Attention with relative positions (Dai et al., "Transformer-XL", 2019) over a ring of the past and the chunk.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Linear, Module};

use super::{Plan, Ring};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Attention {
    heads: usize,
    left: usize,
    longest: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    bias_content: Tensor,
    bias_position: Tensor,
    /// The projected positions (heads, head, distances), from the farthest behind to the farthest ahead. They don't
    /// depend on what is heard, so they are worked out once.
    positions: Tensor,
    keys: Ring,
    values: Ring,
}

impl Attention {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors, name: &str) -> Result<Self> {
        let (width, heads, bias) = (config.width, config.heads, config.attention_bias);
        let head = width / heads;
        let mut linear = |part: &str| from.linear(&format!("{name}.{part}"), width, width, bias);
        let (query, key) = (linear("q_proj")?, linear("k_proj")?);
        let (value, out) = (linear("v_proj")?, linear("o_proj")?);
        let project = from.tensor(&format!("{name}.relative_k_proj.weight"), &[width, width])?;
        let mut bias =
            |part: &str| from.tensor(&format!("{name}.{part}"), &[heads, head])?.reshape((1, 1, heads, head));
        let (bias_content, bias_position) = (bias("bias_u")?, bias("bias_v")?);
        let device = from.device().clone();
        let positions = distances(config, &device)?
            .matmul(&project.t()?)?
            .reshape(((), heads, head))?
            .permute((1, 2, 0))?
            .contiguous()?;
        Ok(Self {
            heads,
            left: config.left_frames,
            longest: config.longest_chunk(),
            query,
            key,
            value,
            out,
            bias_content,
            bias_position,
            positions,
            keys: Ring::new(slots, config.left_frames, width, &device)?,
            values: Ring::new(slots, config.left_frames, width, &device)?,
        })
    }

    /// `input`: (batch, frames, width).
    pub(super) fn forward(&self, plan: &Plan, input: &Tensor) -> Result<Tensor> {
        let (batch, frames, width) = input.dims3()?;
        let shape = (batch, frames, self.heads, width / self.heads);
        let query = self.query.forward(input)?.reshape(shape)?;
        let key = self.with_past(plan, &self.keys, &self.key.forward(input)?)?;
        let value = self.with_past(plan, &self.values, &self.value.forward(input)?)?;
        let content = query.broadcast_add(&self.bias_content)?.transpose(1, 2)?.contiguous()?;
        let scores = content.matmul(&key.transpose(2, 3)?.contiguous()?)?;
        let scores = (scores + self.by_distance(&query)?)?;
        let scale = 1.0 / ((width / self.heads) as f64).sqrt();
        let weights = candle_nn::ops::softmax_last_dim(&(scores * scale)?.broadcast_add(&plan.mask)?)?;
        let seen = weights.matmul(&value)?.transpose(1, 2)?.reshape((batch, frames, width))?;
        self.out.forward(&seen)
    }

    /// The frames of the past and the new ones, by head, and the new ones into the ring.
    fn with_past(&self, plan: &Plan, ring: &Ring, new: &Tensor) -> Result<Tensor> {
        let all = Tensor::cat(&[&ring.gather(&plan.past)?, new], 1)?;
        ring.put(&plan.past_put, &plan.kept(new, self.left)?)?;
        let (batch, frames, width) = all.dims3()?;
        all.reshape((batch, frames, self.heads, width / self.heads))?.transpose(1, 2)?.contiguous()
    }

    /// What the distance between two frames adds to their score.
    fn by_distance(&self, query: &Tensor) -> Result<Tensor> {
        let (batch, frames, heads, head) = query.dims4()?;
        let distances = self.left + 2 * frames - 1;
        let positions = self.positions.narrow(2, self.longest - frames, distances)?.contiguous()?;
        let query = query.broadcast_add(&self.bias_position)?;
        let query = query.permute((2, 0, 1, 3))?.reshape((heads, batch * frames, head))?;
        let scores = query.matmul(&positions)?.reshape((heads, batch, frames, distances))?;
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
        self.keys.clear(slot)?;
        self.values.clear(slot)
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
