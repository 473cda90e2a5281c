//! BERT (Devlin et al., NAACL 2019) over many texts at once, without padding: their words lie one after the other, and
//! only attention knows where one ends.

use std::ops::Range;

use candle_core::{Device, Result, Tensor};
use serde::Deserialize;

use super::attention::attend;
use crate::arithmetic::{Activation, Dense, Norm};
use crate::speech_to_text::checkpoint::Tensors;

/// The shape of a BERT, as `config.json` has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shape {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    pub(super) max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f64,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn absolute() -> String {
    "absolute".into()
}

impl Shape {
    /// What makes it unlike any BERT that this code can run, if anything.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let heads = self.num_attention_heads;
        match (self.hidden_act.as_str(), self.position_embedding_type.as_str()) {
            ("gelu", "absolute") if heads > 0 && self.hidden_size.is_multiple_of(heads) => Ok(()),
            ("gelu", "absolute") => Err(format!("{heads} heads don't share a width of {}", self.hidden_size)),
            (activation, positions) => {
                Err(format!("it has {activation} and {positions} positions, not gelu and absolute ones"))
            }
        }
    }

    /// Values of a vector.
    pub(super) fn width(&self) -> usize {
        self.hidden_size
    }
}

/// The model.
pub(super) struct Bert {
    words: Tensor,
    /// With what every text has in common added: that it is the first.
    positions: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
    device: Device,
}

struct Layer {
    /// Queries, keys and values in one product.
    project: Dense,
    seen: Dense,
    after_attention: Norm,
    out: Dense,
    back: Dense,
    after_feed_forward: Norm,
}

impl Bert {
    /// Takes its tensors.
    pub(super) fn take(shape: &Shape, from: &mut Tensors) -> Result<Self> {
        let (width, most) = (shape.hidden_size, shape.max_position_embeddings);
        let name = |part: &str| format!("embeddings.{part}_embeddings.weight");
        let words = from.tensor(&name("word"), &[shape.vocab_size, width])?;
        let positions = from.tensor(&name("position"), &[most, width])?;
        let types = from.tensor(&name("token_type"), &[shape.type_vocab_size, width])?;
        let layers = (0..shape.num_hidden_layers).map(|number| Layer::take(shape, number, from));
        let layers = layers.collect::<Result<_>>()?;
        Ok(Self {
            words,
            positions: positions.broadcast_add(&types.narrow(0, 0, 1)?)?,
            norm: from.norm_by("embeddings.LayerNorm", width, shape.layer_norm_eps)?,
            layers,
            heads: shape.num_attention_heads,
            device: from.device().clone(),
        })
    }

    /// A vector for each word piece of each text: (all word pieces, width).
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Result<Tensor> {
        let pieces: Vec<u32> = texts.iter().copied().flatten().copied().collect();
        let places: Vec<u32> = texts.iter().flat_map(|text| 0..text.len() as u32).collect();
        let ranges = ranges(texts);
        let rows = |numbers: Vec<u32>, of: &Tensor| -> Result<Tensor> {
            of.index_select(&Tensor::from_slice(&numbers, numbers.len(), &self.device)?, 0)
        };
        let mut hidden =
            self.norm.forward(&(rows(pieces, &self.words)? + rows(places, &self.positions)?)?)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden, &ranges, self.heads)?;
        }
        Ok(hidden)
    }
}

/// Where each text's word pieces lie.
pub(super) fn ranges(texts: &[&[u32]]) -> Vec<Range<usize>> {
    let mut end = 0;
    let next = |text: &&[u32]| {
        let start = end;
        end += text.len();
        start..end
    };
    texts.iter().map(next).collect()
}

impl Layer {
    fn take(shape: &Shape, number: usize, from: &mut Tensors) -> Result<Self> {
        let (width, inner) = (shape.hidden_size, shape.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let parts = ["query", "key", "value"]
            .map(|part| from.linear(&name(&format!("attention.self.{part}")), width, width, true));
        let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
        let weights: Vec<&Tensor> = parts.iter().map(|part| part.weight()).collect();
        let biases: Vec<&Tensor> = parts.iter().filter_map(|part| part.bias()).collect();
        let project =
            Dense::new(Tensor::cat(&weights, 0)?, Some(Tensor::cat(&biases, 0)?), Activation::None)?;
        let epsilon = shape.layer_norm_eps;
        Ok(Self {
            project,
            seen: from.dense(&name("attention.output.dense"), &[width, width], true, Activation::None)?,
            after_attention: from.norm_by(&name("attention.output.LayerNorm"), width, epsilon)?,
            out: from.dense(&name("intermediate.dense"), &[inner, width], true, Activation::Gelu)?,
            back: from.dense(&name("output.dense"), &[width, inner], true, Activation::None)?,
            after_feed_forward: from.norm_by(&name("output.LayerNorm"), width, epsilon)?,
        })
    }

    fn forward(&self, hidden: &Tensor, texts: &[Range<usize>], heads: usize) -> Result<Tensor> {
        let seen = attend(&self.project.forward(hidden)?, texts, heads)?;
        let hidden = self.after_attention.forward(&(self.seen.forward(&seen)? + hidden)?)?;
        let fed = self.back.forward(&self.out.forward(&hidden)?)?;
        self.after_feed_forward.forward(&(fed + &hidden)?)
    }
}
