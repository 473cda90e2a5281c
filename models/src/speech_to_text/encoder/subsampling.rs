//! Eight features become one frame: three convolutions of stride two over time and frequency, causal in time.
//!
//! All arithmetic has the channels last, so that a pointwise convolution is one product of matrices and a depthwise
//! one is nine products and sums. Frame j sees the features up to 8·j and no later one, so a chunk of n frames takes
//! the features 8·c − 7 to 8·(c + n − 1); before a stream's first feature everything is nought, in every stage.

use candle_core::{Result, Tensor};

use super::halving::Halving;
use super::{Plan, Ring};
use crate::arithmetic::{Activation, Dense};
use crate::speech_to_text::Config;
use crate::speech_to_text::checkpoint::Tensors;
use crate::speech_to_text::config::FEATURES_PER_FRAME;

/// Taps of each convolution in each direction.
pub(super) const TAPS: usize = 3;

pub(super) struct Subsampling {
    first: Stage,
    second: Stage,
    third: Stage,
    out: Dense,
    scale: f64,
}

/// A convolution of stride two and the last row of its input. The first has one channel in, the others are depthwise,
/// with a pointwise one after them. A rectifier ends each.
struct Stage {
    /// (taps in time times taps in frequency, channels).
    taps: Tensor,
    bias: Tensor,
    mix: Option<Dense>,
    last: Ring,
}

/// What a stride of two leaves of `bins` bins.
pub(super) fn halved(bins: usize) -> usize {
    bins / 2 + 1
}

impl Subsampling {
    pub(super) fn take(config: &Config, slots: usize, from: &mut Tensors) -> Result<Self> {
        let (mel, channels) = (config.mel_bins, config.channels);
        let bins = halved(halved(halved(mel)));
        let name = "encoder.subsampling";
        let first = Stage::take(config, slots, mel, from, &format!("{name}.conv_in"), None)?;
        let mut mixed = |number: usize, width: usize| {
            let (depthwise, mix) = (
                format!("{name}.layers.{number}.depthwise_conv"),
                format!("{name}.layers.{number}.pointwise_conv"),
            );
            Stage::take(config, slots, width, from, &depthwise, Some(&mix))
        };
        let (second, third) = (mixed(0, halved(mel) * channels)?, mixed(1, halved(halved(mel)) * channels)?);
        let out = from.linear(&format!("{name}.linear"), config.width, channels * bins, true)?;
        // The checkpoint has channels before bins.
        let weight = out.weight().reshape((config.width, channels, bins))?.transpose(1, 2)?.contiguous()?;
        let weight = weight.reshape((config.width, bins * channels))?;
        let out = Dense::new(weight, out.bias().cloned(), Activation::None)?;
        let scale = if config.scale_input { (config.width as f64).sqrt() } else { 1.0 };
        Ok(Self { first, second, third, out, scale })
    }

    /// `features`: (batch, 8 × frames, bins), noughts in front of a stream's first.
    pub(super) fn forward(&self, plan: &Plan, features: &Tensor) -> Result<Tensor> {
        let (batch, frames) = (plan.batch, plan.frames);
        let stage = self.first.forward(plan, &features.unsqueeze(3)?)?;
        let stage = self.second.forward(plan, &begun(plan, stage, FEATURES_PER_FRAME / 2 - 1)?)?;
        let stage = self.third.forward(plan, &begun(plan, stage, FEATURES_PER_FRAME / 4 - 1)?)?;
        self.out.forward(&stage.reshape((batch, frames, ()))?)? * self.scale
    }

    pub(super) fn clear(&self, slot: usize) -> Result<()> {
        [&self.first, &self.second, &self.third].into_iter().try_for_each(|stage| stage.last.clear(slot))
    }
}

impl Stage {
    fn take(
        config: &Config,
        slots: usize,
        width: usize,
        from: &mut Tensors,
        name: &str,
        mix: Option<&str>,
    ) -> Result<Self> {
        let channels = config.channels;
        let taps = from.tensor(&format!("{name}.weight"), &[channels, 1, TAPS, TAPS])?;
        let bias = from.tensor(&format!("{name}.bias"), &[channels])?;
        let mix = mix
            .map(|mix| from.dense(mix, &[channels, channels, 1, 1], true, Activation::Relu))
            .transpose()?;
        Ok(Self {
            taps: taps.reshape((channels, TAPS * TAPS))?.t()?.contiguous()?,
            bias,
            mix,
            last: Ring::new(slots, 1, width, from.dtype(), from.device())?,
        })
    }

    /// `rows`: (batch, rows, bins, channels), of which half the rows and bins are left.
    fn forward(&self, plan: &Plan, rows: &Tensor) -> Result<Tensor> {
        let line = rows.flatten(2, 3)?;
        let sums = match &plan.on_processor {
            Some(streams) => {
                let halving = Halving::new(&self.taps, &self.bias, streams)?;
                rows.contiguous()?.apply_op2_no_bwd(self.last.frames(), &halving)?
            }
            None => self.sums(plan, rows, &line)?,
        };
        self.last.put(&plan.slots, &line.narrow(1, line.dim(1)? - 1, 1)?.contiguous()?)?;
        match &self.mix {
            Some(mix) => mix.forward(&sums),
            None => sums.relu(),
        }
    }

    fn sums(&self, plan: &Plan, rows: &Tensor, line: &Tensor) -> Result<Tensor> {
        let (batch, count, bins, channels) = rows.dims4()?;
        let last = self.last.gather(&plan.slots, 1)?.broadcast_mul(&plan.goes_on)?;
        let line = Tensor::cat(&[&last, line], 1)?;
        let parts = taps(&line.reshape((batch, count + 1, bins, channels))?)?;
        let mut sum: Option<Tensor> = None;
        for (tap, part) in parts.iter().enumerate() {
            let product = part.broadcast_mul(&self.taps.get(tap)?)?;
            sum = Some(match sum {
                Some(sum) => (sum + product)?,
                None => product,
            });
        }
        sum.map_or_else(|| line.zeros_like(), |sum| sum.broadcast_add(&self.bias))
    }
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
    let early = Tensor::from_vec(early, (1, rows, 1), stage.device())?.to_dtype(stage.dtype())?;
    // 1 − early · (1 − goes on)
    let keep = (1.0 - early.broadcast_mul(&(1.0 - &plan.goes_on)?)?)?;
    stage.broadcast_mul(&keep.unsqueeze(3)?)
}
