//! The convolution module: a gate, a causal depthwise convolution over time, and back.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::plan::Streams;
use super::{Plan, Ring};
use crate::arithmetic::lanes::{Wide, add_products, wide};
use crate::arithmetic::slices::floats;
use crate::arithmetic::{Activation, Dense, Norm};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;

pub(super) struct Convolution {
    gate: Dense,
    /// One weight for each tap, the oldest first, and channel: (taps, width).
    taps: Tensor,
    bias: Option<Tensor>,
    norm: Norm,
    back: Dense,
    tail: Ring,
    tail_frames: usize,
}

impl Convolution {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors, name: &str) -> Result<Self> {
        let (width, kernel, bias) = (config.width, config.kernel, config.convolution_bias);
        let taps = from.tensor(&format!("{name}.depthwise_conv.weight"), &[width, 1, kernel])?;
        let (gate, back) = (format!("{name}.pointwise_conv1"), format!("{name}.pointwise_conv2"));
        let length = kernel - 1 + config.longest_chunk();
        Ok(Self {
            gate: from.dense(&gate, &[2 * width, width, 1], bias, Activation::Gated)?,
            taps: taps.reshape((width, kernel))?.t()?.contiguous()?,
            bias: bias.then(|| from.tensor(&format!("{name}.depthwise_conv.bias"), &[width])).transpose()?,
            norm: from.norm(&format!("{name}.norm"), width)?.with_silu(),
            back: from.dense(&back, &[width, width, 1], bias, Activation::None)?,
            tail: Ring::new(slots, length, width, from.dtype(), from.device())?,
            tail_frames: kernel - 1,
        })
    }

    pub(super) fn forward(&self, plan: &Plan, input: &Tensor) -> Result<Tensor> {
        let new = self.gate.forward(input)?;
        self.tail.put(&plan.tail_put, &new)?;
        let sums = match &plan.on_processor {
            Some(streams) => self.tail.frames().apply_op1_no_bwd(&self.depthwise(streams, plan.frames)?)?,
            None => self.sums(plan)?,
        };
        self.back.forward(&self.norm.forward(&sums)?)
    }

    fn sums(&self, plan: &Plan) -> Result<Tensor> {
        let line = self.tail.gather(&plan.tail, self.tail_frames + plan.frames)?;
        let line = line.broadcast_mul(&plan.tail_mask)?;
        // A grouped convolution of Candle's is one convolution for each channel; nine products and sums are not.
        let mut sum = line.narrow(1, 0, plan.frames)?.broadcast_mul(&self.taps.get(0)?)?;
        for tap in 1..=self.tail_frames {
            let weight = self.taps.get(tap)?;
            sum = (sum + line.narrow(1, tap, plan.frames)?.broadcast_mul(&weight)?)?;
        }
        match &self.bias {
            Some(bias) => sum.broadcast_add(bias),
            None => Ok(sum),
        }
    }

    fn depthwise<'a>(&self, streams: &'a Streams, frames: usize) -> Result<Depthwise<'a>> {
        let taps = self.taps.flatten_all()?.to_vec1()?;
        let bias = self.bias.as_ref().map(Tensor::to_vec1).transpose()?;
        Ok(Depthwise { taps, bias, tail_frames: self.tail_frames, streams, frames })
    }

    pub(super) fn clear(&self, slot: usize) -> Result<()> {
        self.tail.clear(slot)
    }
}

/// [`Convolution::sums`] on a processor, of rings that are read where they lie.
struct Depthwise<'a> {
    taps: Vec<f32>,
    bias: Option<Vec<f32>>,
    tail_frames: usize,
    streams: &'a Streams,
    frames: usize,
}

impl CustomOp1 for Depthwise<'_> {
    fn name(&self) -> &'static str {
        "depthwise"
    }

    fn cpu_fwd(&self, ring: &CpuStorage, at: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = at.shape().dims2()?;
        let ring = floats(ring, at)?;
        let streams = self.streams.each.len();
        let mut sums = vec![0.0; streams * self.frames * width];
        wide(Loops { step: self, width, ring, sums: &mut sums });
        Ok((CpuStorage::F32(sums), Shape::from((streams, self.frames, width))))
    }
}

/// The loops of a convolution.
struct Loops<'a> {
    step: &'a Depthwise<'a>,
    width: usize,
    ring: &'a [f32],
    sums: &'a mut [f32],
}

impl Wide for Loops<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { step, width, ring, sums } = self;
        let (frames, tail, length) = (step.frames, step.tail_frames, step.streams.tail_length);
        for row in 0..step.streams.each.len() * frames {
            let (slot, had) = step.streams.each[row / frames];
            let sums = &mut sums[row * width..(row + 1) * width];
            if let Some(bias) = &step.bias {
                sums.copy_from_slice(bias);
            }
            let now = had as usize + row % frames;
            // What was before the stream's first frame is nought.
            for tap in tail.saturating_sub(now)..=tail {
                let from = (slot * length + (now + tap - tail) % length) * width;
                let (values, weights) =
                    (&ring[from..from + width], &step.taps[tap * width..(tap + 1) * width]);
                add_products(sums, values, weights);
            }
        }
    }
}
