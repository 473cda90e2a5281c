//! Layer normalisation.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use candle_nn::{LayerNorm, Module};

use super::is_ours;
use super::lanes::{Wide, normalise, silu, wide};
use super::slices::floats;

/// A layer norm: Candle's, or on the processor one that works on many values at once.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    plain: LayerNorm,
    own: Option<Own>,
    silu: bool,
}

#[derive(Debug, Clone)]
struct Own {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
    silu: bool,
}

impl Norm {
    pub(crate) fn new(weight: Tensor, bias: Tensor, epsilon: f64) -> Result<Self> {
        let own = if is_ours(weight.device(), weight.dtype()) {
            Some(Own {
                weight: weight.to_vec1()?,
                bias: bias.to_vec1()?,
                epsilon: epsilon as f32,
                silu: false,
            })
        } else {
            None
        };
        Ok(Self { plain: LayerNorm::new(weight, bias, epsilon), own, silu: false })
    }

    /// The same with x / (1 + e⁻ˣ) behind it.
    pub(crate) fn with_silu(self) -> Self {
        let own = self.own.map(|own| Own { silu: true, ..own });
        Self { own, silu: true, ..self }
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match &self.own {
            Some(own) => input.contiguous()?.apply_op1_no_bwd(own),
            None if self.silu => self.plain.forward(input)?.silu(),
            None => self.plain.forward(input),
        }
    }
}

impl CustomOp1 for Own {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = floats(storage, layout)?;
        let mut normal = vec![0.0; values.len()];
        wide(Rows { norm: self, values, normal: &mut normal });
        Ok((CpuStorage::F32(normal), layout.shape().clone()))
    }
}

/// The loops of a norm.
struct Rows<'a> {
    norm: &'a Own,
    values: &'a [f32],
    normal: &'a mut [f32],
}

impl Wide for Rows<'_> {
    #[inline(always)]
    fn run(self) {
        let Own { weight, bias, epsilon, silu: with_silu } = self.norm;
        let width = weight.len();
        for at in (0..self.values.len()).step_by(width) {
            let to = &mut self.normal[at..at + width];
            normalise(&self.values[at..at + width], weight, bias, *epsilon, to);
            if *with_silu {
                silu(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn it_is_candles() {
        let made = |shape: (usize, usize)| Tensor::randn(0.5f32, 2.0, shape, &Device::Cpu).expect("made");
        for width in [24, 32, 512] {
            let row = |_| made((1, width)).squeeze(0).expect("a row");
            let norm = Norm::new(row(0), row(1), 1e-5).expect("a norm");
            let input = made((5, width));
            let (ours, theirs) = (norm.forward(&input), norm.plain.forward(&input));
            let off = (ours.expect("ours") - theirs.expect("theirs"))
                .and_then(|off| off.abs()?.max_all()?.to_scalar::<f32>())
                .expect("a number");
            assert!(off < 1e-5, "{off}");
            let plain = norm.plain.forward(&input).and_then(|normal| normal.silu()).expect("theirs");
            let off = (norm.with_silu().forward(&input).expect("ours") - plain)
                .and_then(|off| off.abs()?.max_all()?.to_scalar::<f32>())
                .expect("a number");
            assert!(off < 1e-5, "{off}");
        }
    }
}
