//! Eight features become one frame: three convolutions of stride two over time and frequency, causal in time.
//!
//! All arithmetic has the channels last, so that a pointwise convolution is one product of matrices and a depthwise
//! one is nine products and sums. Frame j sees the features up to 8·j and no later one, so a chunk of n frames takes
//! the features 8·c − 7 to 8·(c + n − 1); before a stream's first feature everything is nought, in every stage.

use candle_core::{Result, Tensor};
use candle_nn::{Linear, Module};

use super::{Plan, Ring, expanded};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;
use crate::speech_to_text::config::FEATURES_PER_FRAME;

/// Taps of each convolution in each direction.
const TAPS: usize = 3;

pub(super) struct Subsampling {
    first: Linear,
    second: Depthwise,
    third: Depthwise,
    out: Linear,
    scale: f64,
    features: Ring,
    /// The widths of the rings.
    widths: [usize; 3],
}

/// A depthwise convolution, the pointwise one after it, and the last row of its input.
struct Depthwise {
    /// (taps in time times taps in frequency, channels).
    taps: Tensor,
    bias: Tensor,
    mix: Linear,
    last: Ring,
}

/// What a stride of two leaves of `bins` bins.
fn halved(bins: usize) -> usize {
    bins / 2 + 1
}

impl Subsampling {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors) -> Result<Self> {
        let (mel, channels) = (config.mel_bins, config.channels);
        let widths = [mel, halved(mel) * channels, halved(halved(mel)) * channels];
        let bins = halved(halved(halved(mel)));
        let name = "encoder.subsampling";
        let first = from.folded(&format!("{name}.conv_in"), &[channels, 1, TAPS, TAPS], true)?;
        let second = Depthwise::take(config, slots, widths[1], from, &format!("{name}.layers.0"))?;
        let third = Depthwise::take(config, slots, widths[2], from, &format!("{name}.layers.1"))?;
        let out = from.linear(&format!("{name}.linear"), config.width, channels * bins, true)?;
        // The checkpoint has channels before bins.
        let weight = out.weight().reshape((config.width, channels, bins))?.transpose(1, 2)?.contiguous()?;
        let out = Linear::new(weight.reshape((config.width, bins * channels))?, out.bias().cloned());
        let scale = if config.scale_input { (config.width as f64).sqrt() } else { 1.0 };
        let features = Ring::new(slots, 1, mel, from.device())?;
        Ok(Self { first, second, third, out, scale, features, widths })
    }

    /// `features`: (batch, 8 × frames, bins), noughts in front of a stream's first.
    pub(super) fn forward(&self, plan: &Plan, features: &Tensor) -> Result<Tensor> {
        let (batch, frames) = (plan.batch, plan.frames);
        let line = with_last(plan, &self.features, self.widths[0], features)?;
        let taps = taps(&line.unsqueeze(3)?)?;
        let channels = Tensor::cat(&taps, 3)?;
        let stage = begun(plan, self.first.forward(&channels)?.relu()?, FEATURES_PER_FRAME / 2 - 1)?;
        let stage =
            begun(plan, self.second.forward(plan, self.widths[1], &stage)?, FEATURES_PER_FRAME / 4 - 1)?;
        let stage = self.third.forward(plan, self.widths[2], &stage)?;
        self.out.forward(&stage.reshape((batch, frames, ()))?)? * self.scale
    }

    pub(super) fn clear(&self, slot: usize) -> Result<()> {
        self.features.clear(slot)?;
        self.second.last.clear(slot)?;
        self.third.last.clear(slot)
    }
}

impl Depthwise {
    fn take(config: &Config, slots: usize, width: usize, from: &mut Tensors, name: &str) -> Result<Self> {
        let channels = config.channels;
        let taps = from.tensor(&format!("{name}.depthwise_conv.weight"), &[channels, 1, TAPS, TAPS])?;
        Ok(Self {
            taps: taps.reshape((channels, TAPS * TAPS))?.t()?.contiguous()?,
            bias: from.tensor(&format!("{name}.depthwise_conv.bias"), &[channels])?,
            mix: from.folded(&format!("{name}.pointwise_conv"), &[channels, channels, 1, 1], true)?,
            last: Ring::new(slots, 1, width, from.device())?,
        })
    }

    fn forward(&self, plan: &Plan, width: usize, input: &Tensor) -> Result<Tensor> {
        let (batch, rows, bins, channels) = input.dims4()?;
        let line = with_last(plan, &self.last, width, &input.reshape((batch, rows, bins * channels))?)?;
        let parts = taps(&line.reshape((batch, rows + 1, bins, channels))?)?;
        let Some(first) = parts.first() else { return Ok(line) };
        let mut sum = self.bias.broadcast_as(first.shape())?.contiguous()?;
        for (tap, part) in parts.iter().enumerate() {
            sum = (sum + part.broadcast_mul(&self.taps.get(tap)?)?)?;
        }
        self.mix.forward(&sum)?.relu()
    }
}

/// The last row that each stream had, then `rows`; the new last row is kept.
fn with_last(plan: &Plan, ring: &Ring, width: usize, rows: &Tensor) -> Result<Tensor> {
    let last = ring.gather(&plan.slots)?.broadcast_mul(&plan.goes_on)?;
    let line = Tensor::cat(&[&last, rows], 1)?;
    let new = rows.narrow(1, rows.dim(1)? - 1, 1)?;
    ring.put(&expanded(&plan.slots, width)?, &new)?;
    Ok(line)
}

/// The nine shifted, halved views of (batch, 2 × rows + 1, bins, channels): time outside, frequency inside.
fn taps(line: &Tensor) -> Result<Vec<Tensor>> {
    let (batch, length, bins, channels) = line.dims4()?;
    let (rows, halves) = (length / 2, halved(bins));
    // Two bins in front as the convolution has them; behind, as many as make pairs.
    let line = line.pad_with_zeros(1, 0, 1)?.pad_with_zeros(2, 2, 2 * halves - bins)?.contiguous()?;
    let pairs = line.reshape((batch, rows + 1, 2, (halves + 1) * 2 * channels))?;
    let mut parts = Vec::with_capacity(TAPS * TAPS);
    for time in 0..TAPS {
        let shifted = pairs.narrow(1, time / 2, rows)?.narrow(2, time % 2, 1)?.contiguous()?;
        let shifted = shifted.reshape((batch, rows, halves + 1, 2, channels))?;
        for frequency in 0..TAPS {
            let part = shifted.narrow(2, frequency / 2, halves)?.narrow(3, frequency % 2, 1)?;
            parts.push(part.squeeze(3)?.contiguous()?);
        }
    }
    Ok(parts)
}

/// Where a stream begins, the first `before` rows are from before its first feature: noughts.
fn begun(plan: &Plan, stage: Tensor, before: usize) -> Result<Tensor> {
    if !plan.begins {
        return Ok(stage);
    }
    let (_, rows, _, _) = stage.dims4()?;
    let early: Vec<f32> = (0..rows).map(|row| if row < before { 1.0 } else { 0.0 }).collect();
    let early = Tensor::from_vec(early, (1, rows, 1), stage.device())?;
    // 1 − early · (1 − goes on)
    let keep = (1.0 - early.broadcast_mul(&(1.0 - &plan.goes_on)?)?)?;
    stage.broadcast_mul(&keep.unsqueeze(3)?)
}
