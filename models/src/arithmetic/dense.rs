//! A linear layer whose weights lie as the device reads them fastest.
//!
//! A processor multiplies few rows by a large matrix as fast as it can read the matrix, if that lies in the order in
//! which it is read: in panels of [`PANEL`] outputs, each (inputs, outputs) and whole in its second cache. Elsewhere
//! the weight lies as checkpoints have it.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use candle_nn::{Linear, Module};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::is_ours;
use super::lanes::{self, Wide, wide};
use super::slices::floats;

/// Outputs of a panel: four registers of AVX-512. 64 by 512 floats are 128 KB.
const PANEL: usize = 64;
/// Rows that are multiplied at once: enough to be as fast as the arithmetic allows, and few enough that the product is
/// one thread's.
const ROWS: usize = 16;
/// From so many rows on the product is better cut otherwise, and left to whom it is asked from.
const MANY_ROWS: usize = 16 * ROWS;
/// Products and sums that are worth a thread of their own.
const WORK_PER_THREAD: usize = 1 << 20;

/// What follows the product and the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    None,
    /// Noughts instead of negative values.
    Relu,
    /// x / (1 + e⁻ˣ).
    Silu,
    /// x · ½(1 + erf(x / √2)).
    Gelu,
    /// The first half of the outputs, each by the sigmoid of its partner in the second.
    Gated,
}

/// A linear layer and its activation.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    weight: Weight,
    bias: Option<Tensor>,
    activation: Activation,
    outputs: usize,
}

#[derive(Debug, Clone)]
enum Weight {
    /// (panels, inputs, [`PANEL`]), and what is done with their products.
    Panels(Tensor, Finish),
    /// (outputs, inputs).
    Whole(Tensor),
}

impl Dense {
    /// `weight`: (outputs, inputs); `bias`: (outputs).
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>, activation: Activation) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        if !is_ours(weight.device(), weight.dtype()) {
            return Ok(Self { weight: Weight::Whole(weight), bias, activation, outputs });
        }
        let panels = outputs.div_ceil(PANEL);
        let panelled = weight
            .pad_with_zeros(0, 0, panels * PANEL - outputs)?
            .reshape((panels, PANEL, inputs))?
            .transpose(1, 2)?
            .contiguous()?;
        let added = match &bias {
            Some(bias) => bias.to_vec1()?,
            None => vec![0.0; outputs],
        };
        let weight = Weight::Panels(panelled, Finish { added, activation });
        Ok(Self { weight, bias, activation, outputs })
    }

    /// (…, outputs) for (…, inputs); half as many outputs where they are gated.
    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match &self.weight {
            Weight::Whole(weight) => self.plain(weight, input),
            Weight::Panels(panels, finish) => {
                let (_, inputs, _) = panels.dims3()?;
                let rows = input.elem_count() / inputs;
                let flat = input.reshape((1, rows, inputs))?;
                let product = if rows <= ROWS || rows > MANY_ROWS {
                    products(&flat, panels)?.apply_op1_no_bwd(finish)?
                } else {
                    let pieces = (0..rows).step_by(ROWS).map(|from| {
                        let piece = flat.narrow(1, from, ROWS.min(rows - from))?;
                        products(&piece, panels)?.apply_op1_no_bwd(finish)
                    });
                    Tensor::cat(&pieces.collect::<Result<Vec<_>>>()?, 0)?
                };
                let mut shape = input.dims().to_vec();
                if let Some(last) = shape.last_mut() {
                    *last = product.dim(1)?;
                }
                product.reshape(shape)
            }
        }
    }

    fn plain(&self, weight: &Tensor, input: &Tensor) -> Result<Tensor> {
        let product = Linear::new(weight.clone(), self.bias.clone()).forward(input)?;
        match self.activation {
            Activation::None => Ok(product),
            Activation::Relu => product.relu(),
            Activation::Silu => product.silu(),
            Activation::Gelu => product.gelu_erf(),
            Activation::Gated => {
                let half = self.outputs / 2;
                let last = product.rank() - 1;
                let gate = candle_nn::ops::sigmoid(&product.narrow(last, half, half)?.contiguous()?)?;
                product.narrow(last, 0, half)?.mul(&gate)
            }
        }
    }
}

/// (panels, rows, [`PANEL`]) of (1, rows, inputs) and (panels, inputs, [`PANEL`]), on as many threads as it is worth.
fn products(rows: &Tensor, panels: &Tensor) -> Result<Tensor> {
    let (_, length, inputs) = rows.dims3()?;
    let count = panels.dim(0)?;
    let work = length * inputs * count * PANEL;
    let threads = candle_core::utils::get_num_threads().min(work / WORK_PER_THREAD).min(count);
    let product = |panels: Tensor| rows.broadcast_as((panels.dim(0)?, length, inputs))?.matmul(&panels);
    if threads <= 1 || length > ROWS {
        return product(panels.clone());
    }
    let each = count.div_ceil(threads);
    let parts: Vec<(usize, usize)> =
        (0..count).step_by(each).map(|from| (from, each.min(count - from))).collect();
    let parts = parts.into_par_iter().map(|(from, length)| product(panels.narrow(0, from, length)?));
    Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)
}

/// (panels, rows, [`PANEL`]) to (rows, outputs), with the bias and the activation.
#[derive(Debug, Clone)]
struct Finish {
    added: Vec<f32>,
    activation: Activation,
}

impl Finish {
    #[inline(always)]
    fn row(&self, row: &mut [f32], to: &mut [f32]) {
        match self.activation {
            Activation::None | Activation::Gated => {}
            Activation::Relu => lanes::rectify(row),
            Activation::Silu => lanes::silu(row),
            Activation::Gelu => lanes::gelu(row),
        }
        if self.activation == Activation::Gated {
            let (values, gates) = row.split_at(row.len() / 2);
            lanes::gated(values, gates, to);
        } else {
            to.copy_from_slice(row);
        }
    }
}

impl CustomOp1 for Finish {
    fn name(&self) -> &'static str {
        "finish"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let products = floats(storage, layout)?;
        let (_, rows, _) = layout.shape().dims3()?;
        let outputs = self.added.len();
        let width = if self.activation == Activation::Gated { outputs / 2 } else { outputs };
        let mut finished = vec![0.0; rows * width];
        wide(Rows { finish: self, products, rows, width, finished: &mut finished });
        Ok((CpuStorage::F32(finished), Shape::from((rows, width))))
    }
}

/// The loops of [`Finish`].
struct Rows<'a> {
    finish: &'a Finish,
    products: &'a [f32],
    rows: usize,
    width: usize,
    finished: &'a mut [f32],
}

impl Wide for Rows<'_> {
    #[inline(always)]
    fn run(self) {
        let added = &self.finish.added;
        let outputs = added.len();
        let mut row = vec![0.0; outputs];
        for number in 0..self.rows {
            let mut from = 0;
            while from < outputs {
                let count = PANEL.min(outputs - from);
                let at = (from / PANEL * self.rows + number) * PANEL;
                let (into, added) = (&mut row[from..from + count], &added[from..from + count]);
                let products = &self.products[at..at + count];
                let mut place = 0;
                while place < count {
                    into[place] = products[place] + added[place];
                    place += 1;
                }
                from += PANEL;
            }
            let to = number * self.width;
            self.finish.row(&mut row, &mut self.finished[to..to + self.width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn panels_are_the_plain_layer_in_any_size_and_with_any_activation() {
        let device = Device::Cpu;
        let all = [Activation::None, Activation::Relu, Activation::Silu, Activation::Gelu, Activation::Gated];
        for (rows, inputs, outputs) in
            [(1, 24, 96), (3, 512, 64), (32, 40, 1_030), (70, 33, 130), (300, 16, 2)]
        {
            let made = |shape: (usize, usize), scale: f64| -> Tensor {
                Tensor::randn(0f32, 1.0, shape, &device).and_then(|made| made * scale).expect("made")
            };
            let (weight, input) = (made((outputs, inputs), 0.3), made((rows, inputs), 1.0));
            let bias = made((1, outputs), 1.0).squeeze(0).expect("a row");
            for (activation, bias) in all.iter().flat_map(|one| [(*one, None), (*one, Some(bias.clone()))]) {
                let dense = Dense::new(weight.clone(), bias, activation).expect("a layer");
                let ours = dense.forward(&input).expect("a product");
                let plain = dense.plain(&weight, &input).expect("a product");
                assert_eq!(ours.dims(), plain.dims());
                let off = (ours - plain)
                    .and_then(|off| off.abs()?.max_all()?.to_scalar::<f32>())
                    .expect("a number");
                assert!(off < 2e-5, "{rows} {inputs} {outputs} {activation:?}: {off}");
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_it() {
        let weight = Tensor::ones((2, 2), DType::F32, &Device::Cpu).expect("made");
        let input = Tensor::new(&[[f32::NAN, 1.0]], &Device::Cpu).expect("made");
        for activation in [Activation::None, Activation::Relu, Activation::Silu, Activation::Gelu] {
            let dense = Dense::new(weight.clone(), None, activation).expect("a layer");
            let made = dense.forward(&input).and_then(|made| made.to_vec2::<f32>()).expect("a product");
            assert!(made[0].iter().all(|value| value.is_nan()), "{activation:?}");
        }
    }
}
