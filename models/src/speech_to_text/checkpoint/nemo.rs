//! NeMo's single file: a tar with `model_config.yaml`, `model_weights.ckpt` (torch's pickle in a zip) and the
//! tokenizer's SentencePiece model.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::{Checkpoint, LoadError, Tensors, nemo_names, pieces};
use crate::speech_to_text::Config;
use crate::speech_to_text::front_end::{POINTS, mel_filters};
use crate::speech_to_text::tokens::Vocabulary;

/// The most that a small member may have; a configuration with a vocabulary has some 100 KB.
const MEMBER_BYTES: u64 = 16 << 20;

#[derive(Deserialize)]
struct Whole {
    preprocessor: Preprocessor,
    encoder: Encoder,
    decoder: Decoder,
    joint: Joint,
    #[serde(default)]
    decoding: Decoding,
}

#[derive(Deserialize)]
struct Preprocessor {
    features: usize,
    #[serde(default = "none")]
    normalize: Option<String>,
    window_size: f64,
    window_stride: f64,
    n_fft: usize,
}

fn none() -> Option<String> {
    Some("per_feature".into())
}

#[derive(Deserialize)]
struct Encoder {
    n_layers: usize,
    d_model: usize,
    n_heads: usize,
    #[serde(default = "yes")]
    use_bias: bool,
    subsampling: String,
    subsampling_factor: usize,
    subsampling_conv_channels: usize,
    #[serde(default)]
    causal_downsampling: bool,
    ff_expansion_factor: f64,
    self_attention_model: String,
    att_context_size: Contexts,
    att_context_style: String,
    #[serde(default = "yes")]
    xscaling: bool,
    conv_kernel_size: usize,
    conv_norm_type: String,
    conv_context_size: Option<serde_yaml_ng::Value>,
}

fn yes() -> bool {
    true
}

/// One pair of frames behind and ahead, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Contexts {
    One([i64; 2]),
    Several(Vec<[i64; 2]>),
}

#[derive(Deserialize)]
struct Decoder {
    prednet: PredictionNetwork,
}

#[derive(Deserialize)]
struct PredictionNetwork {
    pred_hidden: usize,
    pred_rnn_layers: usize,
}

#[derive(Deserialize)]
struct Joint {
    jointnet: JointNetwork,
    num_classes: usize,
    #[serde(default)]
    vocabulary: Vec<String>,
}

#[derive(Deserialize)]
struct JointNetwork {
    joint_hidden: usize,
    activation: String,
}

#[derive(Deserialize, Default)]
struct Decoding {
    #[serde(default)]
    greedy: Greedy,
}

#[derive(Deserialize)]
struct Greedy {
    #[serde(default = "ten")]
    max_symbols: Option<usize>,
}

impl Default for Greedy {
    fn default() -> Self {
        Self { max_symbols: ten() }
    }
}

fn ten() -> Option<usize> {
    Some(10)
}

pub(super) fn read(file: &Path, device: &Device) -> Result<Checkpoint, LoadError> {
    let unreadable = |why: String| LoadError::Unreadable { file: file.into(), why };
    let archive = Archive::open(file).map_err(unreadable)?;
    let whole: Whole =
        serde_yaml_ng::from_slice(&archive.config).map_err(|error| unreadable(error.to_string()))?;
    let config = config(&whole).map_err(|why| LoadError::Unlike { file: file.into(), why })?;
    // A tokenizer that was extended after it was trained is whole only in the configuration.
    let is_whole = |vocabulary: &Vocabulary| vocabulary.len() == whole.joint.num_classes;
    let vocabulary = archive
        .vocabulary
        .filter(is_whole)
        .or_else(|| Some(Vocabulary::new(whole.joint.vocabulary)).filter(is_whole))
        .ok_or_else(|| unreadable(format!("no vocabulary of {} pieces is in it", whole.joint.num_classes)))?;
    let held = tensors(archive.weights.path(), config.mel_bins).map_err(unreadable)?;
    Ok(Checkpoint { config, tensors: Tensors::new(held, device), vocabulary })
}

/// The members that matter. The weights lie in a temporary file, for their reader seeks.
struct Archive {
    config: Vec<u8>,
    vocabulary: Option<Vocabulary>,
    weights: tempfile::NamedTempFile,
}

impl Archive {
    fn open(file: &Path) -> Result<Self, String> {
        let said = |error: std::io::Error| error.to_string();
        let mut tar = tar::Archive::new(File::open(file).map_err(said)?);
        let (mut config, mut vocabulary, mut weights) = (None, None, None);
        for entry in tar.entries().map_err(said)? {
            let mut entry = entry.map_err(|error| format!("no plain tar: {error}"))?;
            let path = entry.path().map_err(said)?.into_owned();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == "model_weights.ckpt" {
                let mut copy = tempfile::NamedTempFile::new().map_err(said)?;
                std::io::copy(&mut entry, &mut copy).map_err(said)?;
                weights = Some(copy);
            } else if name == "model_config.yaml" || name.ends_with("tokenizer.model") {
                let mut bytes = Vec::new();
                entry.take(MEMBER_BYTES).read_to_end(&mut bytes).map_err(said)?;
                if name == "model_config.yaml" {
                    config = Some(bytes);
                } else {
                    vocabulary = Some(pieces::read(&bytes)?);
                }
            }
        }
        Ok(Self {
            config: config.ok_or("no model_config.yaml is in it")?,
            vocabulary,
            weights: weights.ok_or("no model_weights.ckpt is in it")?,
        })
    }
}

fn config(whole: &Whole) -> Result<Config, String> {
    let (encoder, features) = (&whole.encoder, &whole.preprocessor);
    let is_causal = |size: &Option<serde_yaml_ng::Value>| {
        size.as_ref().and_then(serde_yaml_ng::Value::as_str).is_some_and(|size| size == "causal")
    };
    let must = [
        (features.normalize.as_deref().is_none_or(|kind| kind == "NA"), "preprocessor.normalize"),
        ((features.window_size - 0.025).abs() < 1e-6, "preprocessor.window_size"),
        ((features.window_stride - 0.01).abs() < 1e-6, "preprocessor.window_stride"),
        (features.n_fft == 512, "preprocessor.n_fft"),
        (encoder.subsampling == "dw_striding", "encoder.subsampling"),
        (encoder.subsampling_factor == 8, "encoder.subsampling_factor"),
        (encoder.causal_downsampling, "encoder.causal_downsampling"),
        (encoder.self_attention_model == "rel_pos", "encoder.self_attention_model"),
        (encoder.att_context_style == "chunked_limited", "encoder.att_context_style"),
        (encoder.conv_norm_type == "layer_norm", "encoder.conv_norm_type"),
        (is_causal(&encoder.conv_context_size), "encoder.conv_context_size"),
        (whole.joint.jointnet.activation == "relu", "joint.jointnet.activation"),
        (
            whole.joint.jointnet.joint_hidden == whole.decoder.prednet.pred_hidden,
            "joint.jointnet.joint_hidden",
        ),
    ];
    if let Some((_, key)) = must.iter().find(|(holds, _)| !holds) {
        return Err(format!("its {key} is another"));
    }
    let contexts = match &encoder.att_context_size {
        Contexts::One(pair) => vec![*pair],
        Contexts::Several(pairs) => pairs.clone(),
    };
    let frames =
        |frames: i64| usize::try_from(frames).map_err(|_| "its attention sees everything".to_owned());
    Ok(Config {
        mel_bins: features.features,
        width: encoder.d_model,
        layers: encoder.n_layers,
        heads: encoder.n_heads,
        feed_forward: (encoder.ff_expansion_factor * encoder.d_model as f64).round() as usize,
        kernel: encoder.conv_kernel_size,
        channels: encoder.subsampling_conv_channels,
        attention_bias: encoder.use_bias,
        convolution_bias: encoder.use_bias,
        scale_input: encoder.xscaling,
        left_frames: frames(contexts.first().map_or(0, |[left, _]| *left))?,
        lookaheads: contexts.iter().map(|[_, right]| frames(*right)).collect::<Result<_, _>>()?,
        predictor_width: whole.decoder.prednet.pred_hidden,
        predictor_layers: whole.decoder.prednet.pred_rnn_layers,
        tokens: whole.joint.num_classes + 1,
        tokens_per_frame: whole.decoding.greedy.max_symbols.unwrap_or(10),
    })
}

fn tensors(weights: &Path, mel_bins: usize) -> Result<BTreeMap<String, Tensor>, String> {
    let read = candle_core::pickle::read_all(weights).map_err(|error| error.to_string())?;
    let mut held = BTreeMap::new();
    for (name, tensor) in read {
        match name.as_str() {
            "preprocessor.featurizer.window" => {}
            "preprocessor.featurizer.fb" => {
                same_filters(&tensor, mel_bins).map_err(|error| error.to_string())?
            }
            _ if tensor.dtype() == DType::I64 => {}
            _ => drop(held.insert(nemo_names::hub_name(&name), tensor)),
        }
    }
    Ok(held)
}

/// The checkpoint's own filter bank must be the one that the front end uses.
fn same_filters(theirs: &Tensor, mel_bins: usize) -> candle_core::Result<()> {
    let theirs: Vec<f32> = theirs.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    let ours = mel_filters(mel_bins, POINTS);
    let far = theirs.iter().zip(&ours).any(|(theirs, ours)| (theirs - ours).abs() > 1e-4);
    if far || theirs.len() != ours.len() {
        candle_core::bail!("its filter bank is another than the front end's");
    }
    Ok(())
}
