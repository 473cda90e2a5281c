//! The model: word pieces, BERT, the mean over the words, length 1.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::{PaddingParams, PaddingStrategy, Tokenizer, TruncationParams};

use super::{NAME, Settings};
use crate::Error;
use crate::engine::Embedding;

/// all-MiniLM-L6-v2 in memory. Any BERT that is pooled by its mean fits.
pub struct MiniLm {
    bert: BertModel,
    tokenizer: Tokenizer,
    characters_max: usize,
}

impl MiniLm {
    /// Reads `config.json`, `tokenizer.json` and `model.safetensors` from `folder`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where a file is missing, [`Error::Failed`] where one is not what it should be.
    pub fn load(folder: &Path, settings: &Settings) -> Result<Self, Error> {
        let read = |name: &str| {
            std::fs::read(folder.join(name)).map_err(|why| Error::Unavailable {
                engine: NAME,
                why: format!("{} can't be read: {why}", folder.join(name).display()),
                mend: "run `strowger weights pull all-minilm-l6-v2`".into(),
            })
        };
        let config: Config = serde_json::from_slice(&read("config.json")?).map_err(failed("config.json"))?;
        let mut tokenizer =
            Tokenizer::from_bytes(read("tokenizer.json")?).map_err(failed("tokenizer.json"))?;
        let truncation = TruncationParams {
            max_length: settings.word_pieces_max.clamp(2, config.max_position_embeddings),
            ..TruncationParams::default()
        };
        tokenizer.with_truncation(Some(truncation)).map_err(failed("tokenizer.json"))?;
        let pad_id = u32::try_from(config.pad_token_id).unwrap_or_default();
        let padding =
            PaddingParams { strategy: PaddingStrategy::BatchLongest, pad_id, ..PaddingParams::default() };
        tokenizer.with_padding(Some(padding));
        let weights = read("model.safetensors")?;
        let weights = VarBuilder::from_slice_safetensors(&weights, DType::F32, &Device::Cpu)
            .map_err(failed("model.safetensors"))?;
        let bert = BertModel::load(weights, &config).map_err(failed("model.safetensors"))?;
        Ok(Self { bert, tokenizer, characters_max: settings.characters_max })
    }

    /// How many word pieces each text has, without padding.
    ///
    /// # Errors
    /// [`Error::Failed`] where a text can't be cut into word pieces.
    pub fn lengths(&self, texts: &[String]) -> Result<Vec<usize>, Error> {
        let encodings = self.encode(texts)?;
        let length =
            |encoding: &tokenizers::Encoding| encoding.get_attention_mask().iter().sum::<u32>() as usize;
        Ok(encodings.iter().map(length).collect())
    }

    /// Embeds texts in one forward pass, padded to the longest.
    ///
    /// # Errors
    /// [`Error::Failed`] where the device fails, or a vector is no number.
    pub fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let encodings = self.encode(texts)?;
        let vectors = self.forward(&encodings).map_err(failed("the forward pass"))?;
        if vectors.iter().flatten().any(|value| !value.is_finite()) {
            return Err(Error::Failed { engine: NAME, why: "a vector is no number".into() });
        }
        Ok(vectors.into_iter().map(|vector| Embedding(vector.into())).collect())
    }

    fn encode(&self, texts: &[String]) -> Result<Vec<tokenizers::Encoding>, Error> {
        let cut = |text: &String| text.chars().take(self.characters_max).collect::<String>();
        self.tokenizer.encode_batch_fast(texts.iter().map(cut).collect(), true).map_err(failed("a text"))
    }

    fn forward(&self, encodings: &[tokenizers::Encoding]) -> candle_core::Result<Vec<Vec<f32>>> {
        let rows = |row: fn(&tokenizers::Encoding) -> &[u32]| {
            encodings
                .iter()
                .map(|encoding| Tensor::new(row(encoding), &self.bert.device))
                .collect::<Result<Vec<_>, _>>()
        };
        let ids = Tensor::stack(&rows(tokenizers::Encoding::get_ids)?, 0)?;
        let mask = Tensor::stack(&rows(tokenizers::Encoding::get_attention_mask)?, 0)?;
        let hidden = self.bert.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let sum = hidden.broadcast_mul(&mask)?.sum(1)?;
        let mean = sum.broadcast_div(&mask.sum(1)?)?;
        let length = mean.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-12)?;
        mean.broadcast_div(&length)?.to_vec2()
    }
}

fn failed<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> Error {
    move |why| Error::Failed { engine: NAME, why: format!("{what}: {why}") }
}
