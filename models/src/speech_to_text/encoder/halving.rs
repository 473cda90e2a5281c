//! A convolution of the subsampling on a processor: no copy for each of its taps.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::plan::Streams;
use super::subsampling::{TAPS, halved};
use crate::arithmetic::lanes::{Wide, add_products, add_scaled, wide};
use crate::arithmetic::slices::floats;

/// Three by three taps with a stride of two in time and frequency, channels last; from one channel to many, or each
/// channel by itself.
pub(super) struct Halving<'a> {
    /// (taps in time times taps in frequency, channels).
    taps: Vec<f32>,
    bias: Vec<f32>,
    streams: &'a Streams,
}

impl<'a> Halving<'a> {
    pub(super) fn new(taps: &Tensor, bias: &Tensor, streams: &'a Streams) -> Result<Self> {
        Ok(Self { taps: taps.flatten_all()?.to_vec1()?, bias: bias.to_vec1()?, streams })
    }
}

impl CustomOp2 for Halving<'_> {
    fn name(&self) -> &'static str {
        "halving"
    }

    fn cpu_fwd(
        &self,
        rows: &CpuStorage,
        rows_at: &Layout,
        last: &CpuStorage,
        last_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (batch, count, bins, channels) = rows_at.shape().dims4()?;
        let outputs = self.bias.len();
        let (halves, bins_left) = (count / 2, halved(bins));
        let (rows, last) = (floats(rows, rows_at)?, floats(last, last_at)?);
        let mut sums = vec![0.0; batch * halves * bins_left * outputs];
        wide(Loops { step: self, shape: (count, bins, channels), rows, last, sums: &mut sums });
        Ok((CpuStorage::F32(sums), Shape::from((batch, halves, bins_left, outputs))))
    }
}

/// The loops of a convolution.
struct Loops<'a> {
    step: &'a Halving<'a>,
    /// Rows, bins and channels of a stream's input.
    shape: (usize, usize, usize),
    rows: &'a [f32],
    last: &'a [f32],
    sums: &'a mut [f32],
}

impl Wide for Loops<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { step, shape: (count, bins, channels), rows, last, sums } = self;
        let width = bins * channels;
        let of_row = halved(bins) * step.bias.len();
        let halves = count / 2;
        for number in 0..step.streams.each.len() * halves {
            let (stream, half) = (number / halves, number % halves);
            let (slot, had) = step.streams.each[stream];
            let to = &mut sums[number * of_row..(number + 1) * of_row];
            let rows = &rows[stream * count * width..(stream + 1) * count * width];
            let row = |number: usize| &rows[number * width..(number + 1) * width];
            // A row from before the stream is none.
            let oldest = match (half, had) {
                (0, 0) => None,
                (0, _) => Some(&last[slot * width..(slot + 1) * width]),
                _ => Some(row(2 * half - 1)),
            };
            let inputs = [oldest, Some(row(2 * half)), Some(row(2 * half + 1))];
            one_row(step, inputs, (bins, channels), to);
        }
    }
}

/// One row of outputs from three rows of inputs, the oldest first.
#[inline(always)]
fn one_row(
    step: &Halving<'_>,
    inputs: [Option<&[f32]>; TAPS],
    (bins, channels): (usize, usize),
    to: &mut [f32],
) {
    let outputs = step.bias.len();
    for bin in 0..halved(bins) {
        let sums = &mut to[bin * outputs..(bin + 1) * outputs];
        sums.copy_from_slice(&step.bias);
        for tap in 0..TAPS * TAPS {
            // The first two of the bins that a tap could see are from below the lowest.
            let (Some(input), at) = (inputs[tap / TAPS], 2 * bin + tap % TAPS) else { continue };
            if at < 2 || at - 2 >= bins {
                continue;
            }
            let weights = &step.taps[tap * outputs..(tap + 1) * outputs];
            let values = &input[(at - 2) * channels..(at - 1) * channels];
            if channels == 1 {
                add_scaled(sums, weights, values[0]);
            } else {
                add_products(sums, values, weights);
            }
        }
    }
}
