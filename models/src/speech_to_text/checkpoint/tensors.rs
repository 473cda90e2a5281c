//! A checkpoint's tensors, given out by name and shape, each once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{LayerNorm, Linear};

use crate::arithmetic::{Activation, Dense, Norm};

/// Names that an error lists; a wrong file can have thousands.
const NAMES_LISTED: usize = 12;

/// Why a model can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file can't be read.
    #[error("{}: {why}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// The model is of another kind than this code can run.
    #[error("{}: no cache-aware FastConformer transducer that this node can run: {why}", .file.display())]
    Unlike {
        /// The file.
        file: PathBuf,
        /// The first difference.
        why: String,
    },
    /// The tensors are not those of the model's shape.
    #[error("its tensors are not those of its shape: {}", .problems.join("; "))]
    Tensors {
        /// Missing, wrongly shaped and superfluous ones, the first few by name and the number of the rest.
        problems: Vec<String>,
    },
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(#[from] candle_core::Error),
}

/// Tensors by name. A missing one is noted and stands as noughts until [`Self::finish`].
#[derive(Debug)]
pub struct Tensors {
    held: BTreeMap<String, Tensor>,
    device: Device,
    dtype: DType,
    missing: Vec<String>,
    misshapen: Vec<String>,
    /// Where set, tensors are made up instead.
    random: Option<Random>,
}

#[derive(Debug)]
struct Random {
    seed: u64,
    /// What is added to the blank's logit.
    blank_ahead: f32,
}

impl Tensors {
    /// These tensors, for a model on `device`.
    #[must_use]
    pub fn new(held: BTreeMap<String, Tensor>, device: &Device) -> Self {
        Self {
            held,
            device: device.clone(),
            dtype: DType::F32,
            missing: Vec::new(),
            misshapen: Vec::new(),
            random: None,
        }
    }

    /// Makes up every tensor that is asked for, the same for the same seed.
    pub(super) fn random(seed: u64, blank_ahead: f32, device: &Device) -> Self {
        Self { random: Some(Random { seed: seed | 1, blank_ahead }), ..Self::new(BTreeMap::new(), device) }
    }

    /// The same tensors for a model on `device`.
    #[must_use]
    pub fn on(self, device: &Device) -> Self {
        Self { device: device.clone(), ..self }
    }

    /// The same tensors for a model that works in `dtype`.
    #[must_use]
    pub fn with(self, dtype: DType) -> Self {
        Self { dtype, ..self }
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Takes a tensor, in the model's precision.
    ///
    /// # Errors
    /// The device fails.
    pub fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        if let Some(Random { seed, blank_ahead }) = &mut self.random {
            let one = if name.contains("norm") && name.ends_with("weight") { 1.0 } else { 0.0 };
            let mut made = made_up(seed, one, shape.iter().product());
            if let ("joint.head.bias", Some(blank)) = (name, made.last_mut()) {
                *blank += *blank_ahead;
            }
            return Tensor::from_vec(made, shape, &self.device)?.to_dtype(self.dtype);
        }
        match self.held.remove(name) {
            Some(tensor) if tensor.dims() == shape => tensor.to_device(&self.device)?.to_dtype(self.dtype),
            Some(tensor) => {
                self.misshapen.push(format!("{name} is {:?}, not {shape:?}", tensor.dims()));
                Tensor::zeros(shape, self.dtype, &self.device)
            }
            None => {
                self.missing.push(name.to_owned());
                Tensor::zeros(shape, self.dtype, &self.device)
            }
        }
    }

    pub(crate) fn linear(&mut self, name: &str, out: usize, into: usize, bias: bool) -> Result<Linear> {
        self.folded(name, &[out, into], bias)
    }

    /// A convolution's weight as that of a linear layer: (out, everything else).
    pub(crate) fn folded(&mut self, name: &str, shape: &[usize], bias: bool) -> Result<Linear> {
        let out = shape.first().copied().unwrap_or(0);
        let weight = self.tensor(&format!("{name}.weight"), shape)?.reshape((out, ()))?;
        let bias = bias.then(|| self.tensor(&format!("{name}.bias"), &[out])).transpose()?;
        Ok(Linear::new(weight, bias))
    }

    /// The same with its activation, laid out for its device.
    pub(crate) fn dense(
        &mut self,
        name: &str,
        shape: &[usize],
        bias: bool,
        activation: Activation,
    ) -> Result<Dense> {
        let plain = self.folded(name, shape, bias)?;
        Dense::new(plain.weight().clone(), plain.bias().cloned(), activation)
    }

    pub(crate) fn layer_norm(&mut self, name: &str, width: usize) -> Result<LayerNorm> {
        let weight = self.tensor(&format!("{name}.weight"), &[width])?;
        let bias = self.tensor(&format!("{name}.bias"), &[width])?;
        Ok(LayerNorm::new(weight, bias, 1e-5))
    }

    pub(crate) fn norm(&mut self, name: &str, width: usize) -> Result<Norm> {
        self.norm_by(name, width, 1e-5)
    }

    /// The same with what keeps it from a division by nought.
    pub(crate) fn norm_by(&mut self, name: &str, width: usize, epsilon: f64) -> Result<Norm> {
        let weight = self.tensor(&format!("{name}.weight"), &[width])?;
        let bias = self.tensor(&format!("{name}.bias"), &[width])?;
        Norm::new(weight, bias, epsilon)
    }

    /// Whether every tensor that was asked for was there, in its shape, and no other.
    ///
    /// # Errors
    /// [`LoadError::Tensors`].
    pub fn finish(self) -> std::result::Result<(), LoadError> {
        let left: Vec<String> = self.held.into_keys().collect();
        let problems: Vec<String> =
            [("missing", self.missing), ("of another shape", self.misshapen), ("not of this model", left)]
                .into_iter()
                .filter(|(_, names)| !names.is_empty())
                .map(|(what, names)| listed(what, &names))
                .collect();
        if problems.is_empty() { Ok(()) } else { Err(LoadError::Tensors { problems }) }
    }
}

/// Values around `middle`, spread as a trained model's are.
fn made_up(seed: &mut u64, middle: f32, count: usize) -> Vec<f32> {
    let mut next = || {
        // Marsaglia's xorshift.
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        (*seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..count).map(|_| middle + 0.1 * next()).collect()
}

fn listed(what: &str, names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(NAMES_LISTED).map(String::as_str).collect();
    let rest = names.len() - first.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{} {what}: {}{more}", names.len(), first.join(", "))
}
