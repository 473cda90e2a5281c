//! Against the reference implementation: see `models/tests/reference/fastconformer.py`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::FastConformer;
use super::checkpoint::{Checkpoint, LoadError, Tensors};
use super::chunks::Chunks;
use super::front_end::{FilterBank, LogMel};
use super::tokens::Token;
use crate::step_loop::Row;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/fastconformer")
}

pub(super) fn checkpoint() -> Checkpoint {
    Checkpoint::read(&folder(), &Device::Cpu).expect("the tiny checkpoint is there")
}

pub(super) fn golden() -> HashMap<String, Tensor> {
    candle_core::safetensors::load(folder().join("golden.safetensors"), &Device::Cpu)
        .expect("the golden values are there")
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).and_then(|floats| floats.flatten_all()?.to_vec1()).expect("floats")
}

/// The relative distance of `ours` from `theirs`, in the Euclidean norm, is at most `most`.
pub(super) fn close(ours: &Tensor, theirs: &Tensor, most: f64) {
    assert_eq!(ours.dims(), theirs.dims());
    let squares =
        |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let (ours, theirs) = (floats(ours), floats(theirs));
    let off = squares(&mut ours.iter().zip(&theirs).map(|(a, b)| a - b)).sqrt();
    let all = squares(&mut theirs.iter().copied()).sqrt();
    assert!(off <= most * all, "off by {off} of {all}: {}", off / all);
}

#[test]
fn features_are_the_references_in_any_pieces() {
    let golden = golden();
    let audio: Vec<i16> = floats(&golden["audio"]).iter().map(|sample| *sample as i16).collect();
    for (bins, samples, piece) in
        [(16, audio.len(), 160), (16, audio.len(), 37), (80, 8_000, 1_280), (128, 8_000, 801)]
    {
        let mut front_end = LogMel::new(Arc::new(FilterBank::new(bins)));
        let mut features = Vec::new();
        for piece in audio[..samples].chunks(piece) {
            front_end.push(piece, &mut features);
        }
        front_end.finish(&mut features);
        let worst = |name: &str| {
            let expected = floats(&golden[&format!("{name}.{bins}")]);
            assert_eq!(features.len(), expected.len(), "{bins} bins");
            features.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let (exact, reference) = (worst("exact"), worst("features"));
        println!("{bins} bins: {exact} from 64 bits, {reference} from the reference in 32");
        assert!(exact <= 1e-4 && reference <= 3e-4, "{bins} bins: off by {exact} and {reference}");
    }
}

/// The golden audio's features through slot 1, a chunk at a time: what each layer made of them, and the tokens.
fn streamed(model: &mut FastConformer, lookahead: usize) -> (Vec<Tensor>, Vec<Token>) {
    let mut chunks = Chunks::new(model.config().mel_bins);
    chunks.push(&floats(&golden()["features.16"]));
    let mut layers: Vec<Vec<Tensor>> = vec![Vec::new(); model.config().layers + 1];
    let mut tokens = Vec::new();
    let mut had = 0;
    while let Some(input) = chunks.next(lookahead, true) {
        let row = Row { slot: 1, input };
        let mut watch =
            |layer: usize, frames: &Tensor| layers[layer].push(frames.squeeze(0).expect("one stream"));
        let decoded = model.step_watched(vec![row], &mut watch).expect("steps");
        for decoded in decoded {
            tokens.extend(decoded.tokens.iter().map(|token| Token { frame: token.frame + had, ..*token }));
            had += decoded.frames as u64;
        }
    }
    let whole = |frames: Vec<Tensor>| Tensor::cat(&frames, 0).expect("frames");
    (layers.into_iter().map(whole).collect(), tokens)
}

fn matches_golden(model: &mut FastConformer) {
    let golden = golden();
    for lookahead in [3, 4, 1, 0] {
        let (layers, tokens) = streamed(model, lookahead);
        close(&layers[3], &golden[&format!("encoded.{lookahead}")], 1e-5);
        if lookahead == 3 {
            let scale = (model.config().width as f64).sqrt();
            close(&(&layers[0] / scale).expect("scaled"), &golden["subsampled"], 1e-5);
            for (layer, frames) in layers.iter().enumerate() {
                close(frames, &golden[&format!("hidden.{layer}")], 1e-5);
            }
        }
        let numbers: Vec<i64> = tokens.iter().map(|token| i64::from(token.number)).collect();
        let frames: Vec<i64> = tokens.iter().map(|token| token.frame as i64).collect();
        assert!(numbers.len() >= 64);
        assert_eq!(numbers, golden[&format!("tokens.{lookahead}")].to_vec1::<i64>().expect("numbers"));
        assert_eq!(frames, golden[&format!("frames.{lookahead}")].to_vec1::<i64>().expect("numbers"));
    }
}

#[test]
fn streaming_is_the_references_offline_pass_layer_by_layer_and_token_by_token() {
    matches_golden(&mut FastConformer::new(checkpoint(), 3).expect("a whole checkpoint"));
}

#[test]
fn what_a_gpu_would_work_out_is_the_references_as_well() {
    crate::arithmetic::elsewhere::run(|| {
        matches_golden(&mut FastConformer::new(checkpoint(), 3).expect("a whole checkpoint"));
    });
}

#[test]
fn sixteen_bits_are_near_the_reference() {
    let (golden, Checkpoint { config, tensors, vocabulary }) = (golden(), checkpoint());
    let halved = Checkpoint { config, tensors: tensors.with(DType::BF16), vocabulary };
    let mut model = FastConformer::new(halved, 3).expect("a whole checkpoint");
    let (layers, tokens) = streamed(&mut model, 3);
    close(&layers[3], &golden["encoded.3"], 2e-2);
    assert!(tokens.len() >= 64);
}

#[test]
fn a_nemo_file_is_the_same_model() {
    let nemo = Checkpoint::read(&folder().join("tiny.nemo"), &Device::Cpu).expect("the tiny file is there");
    let hub = checkpoint();
    assert_eq!(nemo.config, hub.config);
    assert_eq!(nemo.vocabulary, hub.vocabulary);
    assert!(nemo.vocabulary.knows_end_of_utterance());
    matches_golden(&mut FastConformer::new(nemo, 2).expect("a whole checkpoint"));
}

#[test]
fn tensors_that_are_missing_misshapen_or_too_many_are_named() {
    let held =
        candle_core::safetensors::load(folder().join("model.safetensors"), &Device::Cpu).expect("weights");
    let mut held: std::collections::BTreeMap<String, Tensor> = held.into_iter().collect();
    held.remove("encoder.layers.1.self_attn.bias_u");
    held.remove("joint.head.bias");
    let odd = Tensor::zeros((2, 2), DType::F32, &Device::Cpu).expect("a tensor");
    held.insert("encoder.layers.0.norm_out.weight".into(), odd.clone());
    for extra in 0..20 {
        held.insert(format!("ctc_head.{extra:02}"), odd.clone());
    }
    let whole = Checkpoint { tensors: Tensors::new(held, &Device::Cpu), ..checkpoint() };
    let error = FastConformer::new(whole, 1).expect_err("names them").to_string();
    for said in [
        "2 missing: encoder.layers.1.self_attn.bias_u, joint.head.bias",
        "1 of another shape: encoder.layers.0.norm_out.weight is [2, 2], not [32]",
        "20 not of this model: ctc_head.00,",
        "ctc_head.11 and 8 more",
    ] {
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_file_of_another_kind_is_refused_by_name() {
    let error = Checkpoint::read(Path::new("/nowhere"), &Device::Cpu).expect_err("nothing is there");
    assert!(
        matches!(error, LoadError::Unreadable { ref file, .. } if file.ends_with("config.json")),
        "{error}"
    );
    let copy = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(folder().join("config.json")).expect("readable");
    std::fs::write(
        copy.path().join("config.json"),
        text.replace("\"subsampling_factor\": 8", "\"subsampling_factor\": 4"),
    )
    .expect("written");
    let error = Checkpoint::read(copy.path(), &Device::Cpu).expect_err("another kind").to_string();
    assert!(error.contains("its encoder_config.subsampling_factor is another"), "{error}");
    let torn = copy.path().join("torn.nemo");
    std::fs::write(&torn, [31, 139, 8, 0, 1, 2, 3]).expect("written");
    assert!(matches!(Checkpoint::read(&torn, &Device::Cpu), Err(LoadError::Unreadable { .. })));
}
