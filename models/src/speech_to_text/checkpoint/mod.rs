//! Weights and shape of a model, from where people keep them: a folder as the hub has it, or NeMo's single file.
//!
//! A tensor that is missing, or that nobody asked for, is an error that names it: a model with a part of its weights
//! would run and be wrong.

mod folder;
mod nemo;
mod nemo_names;
mod pieces;
mod tensors;

use std::path::Path;

use candle_core::Device;

pub use tensors::{LoadError, Tensors};

use super::{Config, tokens::Vocabulary};

/// What a model is made of.
#[derive(Debug)]
pub struct Checkpoint {
    /// Its shape.
    pub config: Config,
    /// Its weights, by the hub's names.
    pub tensors: Tensors,
    /// What its tokens say.
    pub vocabulary: Vocabulary,
}

impl Checkpoint {
    /// Reads `path`: a `.nemo` file, or a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    ///
    /// # Errors
    /// [`LoadError`], which says what is missing or unlike any model that this code can run.
    pub fn read(path: &Path, device: &Device) -> Result<Self, LoadError> {
        let is_nemo = path.extension().is_some_and(|extension| extension == "nemo");
        let read = if is_nemo { nemo::read(path, device) } else { folder::read(path, device) }?;
        read.config.check().map_err(|why| LoadError::Unlike { file: path.into(), why })?;
        if read.vocabulary.len() + 1 != read.config.tokens {
            let (pieces, tokens) = (read.vocabulary.len(), read.config.tokens);
            let why = format!("{pieces} pieces and a blank are not its {tokens} tokens");
            return Err(LoadError::Unlike { file: path.into(), why });
        }
        Ok(read)
    }

    /// A model of this shape with random weights, for measuring where the real ones are not at hand. It says
    /// nonsense, and the more of it the less the blank is ahead: its part of a logit that it is likelier by than any other
    /// token. With 0.5 most frames say nothing, as in speech; with 0 nearly every frame says all that it may.
    #[must_use]
    pub fn random(config: Config, seed: u64, blank_ahead: f32, device: &Device) -> Self {
        let pieces = (0..config.tokens - 1).map(|number| format!("\u{2581}{number}")).collect();
        Self {
            config,
            tensors: Tensors::random(seed, blank_ahead, device),
            vocabulary: Vocabulary::new(pieces),
        }
    }
}
