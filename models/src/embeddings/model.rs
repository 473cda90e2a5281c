//! The model: word pieces, BERT, the mean over the words, length 1.

use std::path::Path;

use candle_core::{DType, Device};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use super::bert::{Bert, Shape, ranges};
use super::{NAME, Settings};
use crate::Error;
use crate::engine::Embedding;
use crate::speech_to_text::checkpoint::Tensors;

/// Parts of a checkpoint that vectors of sentences don't need.
const UNUSED: [&str; 2] = ["pooler.", "embeddings.position_ids"];

/// all-MiniLM-L6-v2 in memory. Any BERT that is pooled by its mean fits.
pub struct MiniLm {
    bert: Bert,
    tokenizer: Tokenizer,
    width: usize,
    characters_max: usize,
}

impl MiniLm {
    /// Reads `config.json`, `tokenizer.json` and `model.safetensors` from `folder`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where a file is missing or there is no such processor, [`Error::Failed`] where a file is
    /// not what it should be.
    pub fn load(folder: &Path, settings: &Settings) -> Result<Self, Error> {
        let read = |name: &str| {
            std::fs::read(folder.join(name)).map_err(|why| Error::Unavailable {
                engine: NAME,
                why: format!("{} can't be read: {why}", folder.join(name).display()),
                mend: "run `strowger weights pull all-minilm-l6-v2`".into(),
            })
        };
        let shape: Shape = serde_json::from_slice(&read("config.json")?).map_err(failed("config.json"))?;
        shape.check().map_err(failed("config.json"))?;
        let mut tokenizer =
            Tokenizer::from_bytes(read("tokenizer.json")?).map_err(failed("tokenizer.json"))?;
        let truncation = TruncationParams {
            max_length: settings.word_pieces_max.clamp(2, shape.max_position_embeddings),
            ..TruncationParams::default()
        };
        tokenizer.with_truncation(Some(truncation)).map_err(failed("tokenizer.json"))?;
        tokenizer.with_padding(None);
        let weights = read("model.safetensors")?;
        let device = settings.processor.open().map_err(|why| Error::Unavailable {
            engine: NAME,
            why: why.to_string(),
            mend: "set engines.embedding.processor to cpu, or build the program for GPUs".into(),
        })?;
        let bert = bert(&weights, &shape, &device).map_err(failed("model.safetensors"))?;
        let (width, characters_max) = (shape.width(), settings.characters_max);
        Ok(Self { bert, tokenizer, width, characters_max })
    }

    /// Embeds texts in one forward pass.
    ///
    /// # Errors
    /// [`Error::Failed`] where a text can't be cut into word pieces, the device fails, or a vector is no number.
    pub fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let cut = |text: &String| text.chars().take(self.characters_max).collect::<String>();
        let encodings = self.tokenizer.encode_batch_fast(texts.iter().map(cut).collect(), true);
        let encodings = encodings.map_err(failed("a text"))?;
        let pieces: Vec<&[u32]> = encodings.iter().map(Encoding::get_ids).collect();
        let hidden = self
            .bert
            .forward(&pieces)
            .and_then(|hidden| hidden.to_dtype(DType::F32)?.flatten_all()?.to_vec1());
        let hidden: Vec<f32> = hidden.map_err(failed("the forward pass"))?;
        let rows = |text: &std::ops::Range<usize>| {
            hidden.get(text.start * self.width..text.end * self.width).unwrap_or_default()
        };
        let vectors: Vec<Vec<f32>> =
            ranges(&pieces).iter().map(|text| pooled(rows(text), self.width)).collect();
        if vectors.iter().flatten().any(|value| !value.is_finite()) {
            return Err(Error::Failed { engine: NAME, why: "a vector is no number".into() });
        }
        Ok(vectors.into_iter().map(|vector| Embedding(vector.into())).collect())
    }
}

fn bert(weights: &[u8], shape: &Shape, device: &Device) -> Result<Bert, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let held = candle_core::safetensors::load_buffer(weights, &Device::Cpu).map_err(|error| said(&error))?;
    let used = held.into_iter().filter(|(name, _)| !UNUSED.iter().any(|unused| name.starts_with(unused)));
    let mut tensors = Tensors::new(used.collect(), device);
    let bert = Bert::take(shape, &mut tensors).map_err(|error| said(&error))?;
    tensors.finish().map_err(|error| said(&error))?;
    Ok(bert)
}

/// The mean of a text's rows, of length 1.
fn pooled(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0f32; width];
    for row in rows.chunks_exact(width) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    // The length of the mean, or of the sum: divided by it they are the same.
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
    sum.iter_mut().for_each(|value| *value /= length);
    sum
}

fn failed<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> Error {
    move |why| Error::Failed { engine: NAME, why: format!("{what}: {why}") }
}
