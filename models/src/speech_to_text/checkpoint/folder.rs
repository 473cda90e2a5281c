//! A folder as the hub has it: `config.json` and `tokenizer.json`, the weights in `model.safetensors` or in several
//! files, and the lookaheads in `processor_config.json`. The names are those of transformers 5.23.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Checkpoint, LoadError, Tensors};
use crate::speech_to_text::Config;
use crate::speech_to_text::tokens::Vocabulary;

#[derive(Deserialize)]
struct Whole {
    model_type: String,
    encoder_config: Encoder,
    vocab_size: usize,
    blank_token_id: usize,
    decoder_hidden_size: usize,
    num_decoder_layers: usize,
    hidden_act: String,
    max_symbols_per_step: usize,
}

#[derive(Deserialize)]
struct Encoder {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    attention_bias: bool,
    convolution_bias: bool,
    conv_kernel_size: usize,
    subsampling_factor: usize,
    subsampling_conv_channels: usize,
    subsampling_conv_kernel_size: usize,
    subsampling_conv_stride: usize,
    num_mel_bins: usize,
    scale_input: bool,
    sliding_window: usize,
    default_num_lookahead_tokens: usize,
}

#[derive(Deserialize, Default)]
struct Processor {
    #[serde(default)]
    supported_num_lookahead_tokens: Vec<usize>,
    #[serde(default)]
    feature_extractor: Features,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Features {
    mel_filters_dtype: Option<String>,
}

#[derive(Deserialize)]
struct TokenizerFile {
    model: TokenizerModel,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct TokenizerModel {
    vocab: PieceTable,
}

/// A BPE model maps pieces to numbers, a unigram model lists them with their scores.
#[derive(Deserialize)]
#[serde(untagged)]
enum PieceTable {
    Numbered(BTreeMap<String, usize>),
    Listed(Vec<(String, f64)>),
}

#[derive(Deserialize)]
struct AddedToken {
    id: usize,
    content: String,
}

pub(super) fn read(folder: &Path, device: &Device) -> Result<Checkpoint, LoadError> {
    let whole: Whole = json(&folder.join("config.json"))?;
    let processor_file = folder.join("processor_config.json");
    let processor = if processor_file.is_file() { json(&processor_file)? } else { Processor::default() };
    let unlike = |why: String| LoadError::Unlike { file: folder.join("config.json"), why };
    let config = config(&whole, &processor).map_err(unlike)?;
    let tokenizer: TokenizerFile = json(&folder.join("tokenizer.json"))?;
    let vocabulary = vocabulary(tokenizer, whole.blank_token_id).map_err(unlike)?;
    Ok(Checkpoint { config, tensors: Tensors::new(tensors(folder)?, device), vocabulary })
}

fn json<T: DeserializeOwned>(file: &Path) -> Result<T, LoadError> {
    let unreadable = |why: String| LoadError::Unreadable { file: file.into(), why };
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

fn config(whole: &Whole, processor: &Processor) -> Result<Config, String> {
    let encoder = &whole.encoder_config;
    let must = [
        (whole.model_type == "nemotron_asr_streaming", "model_type"),
        (whole.hidden_act == "relu", "hidden_act"),
        (whole.blank_token_id + 1 == whole.vocab_size, "blank_token_id"),
        (encoder.hidden_act == "silu", "encoder_config.hidden_act"),
        (encoder.subsampling_factor == 8, "encoder_config.subsampling_factor"),
        (encoder.subsampling_conv_kernel_size == 3, "encoder_config.subsampling_conv_kernel_size"),
        (encoder.subsampling_conv_stride == 2, "encoder_config.subsampling_conv_stride"),
        (
            processor.feature_extractor.mel_filters_dtype.as_deref().unwrap_or("float32") == "float32",
            "feature_extractor.mel_filters_dtype",
        ),
    ];
    if let Some((_, key)) = must.iter().find(|(holds, _)| !holds) {
        return Err(format!("its {key} is another"));
    }
    let lookaheads = match processor.supported_num_lookahead_tokens.as_slice() {
        [] => vec![encoder.default_num_lookahead_tokens],
        some => some.to_vec(),
    };
    Ok(Config {
        mel_bins: encoder.num_mel_bins,
        width: encoder.hidden_size,
        layers: encoder.num_hidden_layers,
        heads: encoder.num_attention_heads,
        feed_forward: encoder.intermediate_size,
        kernel: encoder.conv_kernel_size,
        channels: encoder.subsampling_conv_channels,
        attention_bias: encoder.attention_bias,
        convolution_bias: encoder.convolution_bias,
        scale_input: encoder.scale_input,
        left_frames: encoder.sliding_window.saturating_sub(1),
        lookaheads,
        predictor_width: whole.decoder_hidden_size,
        predictor_layers: whole.num_decoder_layers,
        tokens: whole.vocab_size,
        tokens_per_frame: whole.max_symbols_per_step,
    })
}

fn vocabulary(file: TokenizerFile, blank: usize) -> Result<Vocabulary, String> {
    let mut pieces = vec![None; blank];
    let numbered: Vec<(String, usize)> = match file.model.vocab {
        PieceTable::Numbered(numbered) => numbered.into_iter().collect(),
        PieceTable::Listed(listed) => {
            listed.into_iter().enumerate().map(|(number, (piece, _))| (piece, number)).collect()
        }
    };
    let added = file.added_tokens.into_iter().map(|token| (token.content, token.id));
    for (piece, number) in numbered.into_iter().chain(added) {
        if let Some(place) = pieces.get_mut(number) {
            *place = Some(piece);
        }
    }
    let missing = || "tokenizer.json leaves numbers before the blank without a piece".to_owned();
    pieces.into_iter().collect::<Option<Vec<_>>>().map(Vocabulary::new).ok_or_else(missing)
}

fn tensors(folder: &Path) -> Result<BTreeMap<String, Tensor>, LoadError> {
    let unreadable = |why: String| LoadError::Unreadable { file: folder.into(), why };
    let listing = std::fs::read_dir(folder).map_err(|error| unreadable(error.to_string()))?;
    let mut held = BTreeMap::new();
    for entry in listing.flatten() {
        let file = entry.path();
        let name = entry.file_name();
        let is_weights =
            name.to_string_lossy().starts_with("model") && name.to_string_lossy().ends_with(".safetensors");
        if is_weights {
            let read = candle_core::safetensors::load(&file, &Device::Cpu)
                .map_err(|error| LoadError::Unreadable { file, why: error.to_string() })?;
            held.extend(read.into_iter().filter(|(_, tensor)| tensor.dtype() != DType::I64));
        }
    }
    if held.is_empty() {
        return Err(unreadable("no model*.safetensors is in it".into()));
    }
    Ok(held)
}
