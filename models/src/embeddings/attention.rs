//! Attention inside each of many texts whose word pieces lie one after the other.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

use crate::arithmetic::is_ours;
use crate::arithmetic::lanes::{Wide, add_scaled, dot, softmax, wide};
use crate::arithmetic::slices::floats;

/// What each word piece sees of its text: (word pieces, width) for (word pieces, queries and keys and values).
pub(super) fn attend(projected: &Tensor, texts: &[Range<usize>], heads: usize) -> Result<Tensor> {
    if is_ours(projected.device(), projected.dtype()) {
        projected.apply_op1_no_bwd(&Attend { texts, heads })
    } else {
        padded(projected, texts, heads)
    }
}

/// The same by products of matrices, for which all texts are as long as the longest.
fn padded(projected: &Tensor, texts: &[Range<usize>], heads: usize) -> Result<Tensor> {
    let (device, width) = (projected.device(), projected.dim(1)? / 3);
    let (batch, longest) = (texts.len(), texts.iter().map(ExactSizeIterator::len).max().unwrap_or(0));
    let numbers =
        |numbers: Vec<u32>| -> Result<Tensor> { Tensor::from_slice(&numbers, numbers.len(), device) };
    let padding = |text: &Range<usize>| longest - text.len();
    let rows =
        texts.iter().flat_map(|text| text.clone().chain(std::iter::repeat_n(text.start, padding(text))));
    let all = projected.index_select(&numbers(rows.map(|row| row as u32).collect())?, 0)?;
    let part = |from: usize| -> Result<Tensor> {
        let part = all.narrow(1, from * width, width)?.reshape((batch, longest, heads, width / heads))?;
        part.transpose(1, 2)?.contiguous()
    };
    let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
    let mask = texts.iter().flat_map(|text| {
        let (there, absent) = (std::iter::repeat_n(0.0f32, text.len()), padding(text));
        there.chain(std::iter::repeat_n(f32::NEG_INFINITY, absent))
    });
    let mask = Tensor::from_vec(mask.collect::<Vec<f32>>(), (batch, 1, 1, longest), device)?;
    let scale = 1.0 / ((width / heads) as f64).sqrt();
    let scores = queries.matmul(&keys.transpose(2, 3)?.contiguous()?)?.to_dtype(DType::F32)?;
    let shares = candle_nn::ops::softmax_last_dim(&(scores * scale)?.broadcast_add(&mask)?)?;
    let seen = shares.to_dtype(values.dtype())?.matmul(&values)?;
    let seen = seen.transpose(1, 2)?.reshape((batch * longest, width))?;
    let rows = texts
        .iter()
        .enumerate()
        .flat_map(|(number, text)| (0..text.len()).map(move |at| (number * longest + at) as u32));
    seen.index_select(&numbers(rows.collect())?, 0)
}

/// On a processor each text is as long as it is.
struct Attend<'a> {
    texts: &'a [Range<usize>],
    heads: usize,
}

impl CustomOp1 for Attend<'_> {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(&self, projected: &CpuStorage, at: &Layout) -> Result<(CpuStorage, Shape)> {
        let (count, whole) = at.shape().dims2()?;
        let width = whole / 3;
        let projected = floats(projected, at)?;
        let mut seen = vec![0.0; count * width];
        wide(Loops { step: self, width, projected, seen: &mut seen });
        Ok((CpuStorage::F32(seen), Shape::from((count, width))))
    }
}

/// The loops of attention.
struct Loops<'a> {
    step: &'a Attend<'a>,
    width: usize,
    projected: &'a [f32],
    seen: &'a mut [f32],
}

impl Wide for Loops<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { step, width, projected, seen } = self;
        let mut scores = Vec::new();
        for text in step.texts {
            let projected = &projected[text.start * 3 * width..text.end * 3 * width];
            let seen = &mut seen[text.start * width..text.end * width];
            scores.resize(text.len(), 0.0);
            for head in 0..step.heads {
                one_head(head, (width, width / step.heads), projected, &mut scores, seen);
            }
        }
    }
}

/// One head of one text, of a model so wide with heads so wide.
#[inline(always)]
fn one_head(
    number: usize,
    (width, head): (usize, usize),
    projected: &[f32],
    scores: &mut [f32],
    seen: &mut [f32],
) {
    let (scale, count) = (1.0 / (head as f32).sqrt(), scores.len());
    let part = |row: usize, which: usize| {
        let from = (row * 3 + which) * width + number * head;
        &projected[from..from + head]
    };
    for row in 0..count {
        for (place, score) in scores.iter_mut().enumerate() {
            *score = dot(part(row, 0), part(place, 1)) * scale;
        }
        softmax(scores);
        let from = row * width + number * head;
        let sums = &mut seen[from..from + head];
        for (place, score) in scores.iter().enumerate() {
            add_scaled(sums, part(place, 2), *score);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_processor_sees_what_padded_products_do() {
        let texts = [0..5, 5..6, 6..40, 40..57];
        let projected = Tensor::randn(0f32, 1.0, (57, 3 * 48), &Device::Cpu).expect("made");
        for heads in [1, 3, 12] {
            let ours = attend(&projected, &texts, heads).expect("sees");
            let padded = padded(&projected, &texts, heads).expect("sees");
            let off = (ours - padded).and_then(|off| off.abs()?.max_all()?.to_scalar::<f32>());
            assert!(off.expect("a number") < 1e-5);
        }
    }
}
