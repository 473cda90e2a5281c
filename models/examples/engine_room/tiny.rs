//! The tiny model of the reference, and the reference's values.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use models::speech_to_text::FastConformer;
use models::speech_to_text::checkpoint::Checkpoint;
use models::speech_to_text::chunks::Chunks;
use models::speech_to_text::model::Chunk;
use models::step_loop::Precision;

/// The folder that `models/tests/reference/fastconformer.py` makes.
macro_rules! reference {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../tests/reference/fastconformer/", $name)).as_slice())
    };
}

const FILES: [(&str, &[u8]); 4] = [
    reference!("config.json"),
    reference!("tokenizer.json"),
    reference!("processor_config.json"),
    reference!("model.safetensors"),
];
const GOLDEN: (&str, &[u8]) = reference!("golden.safetensors");
/// Bins of a feature in the tiny model, and features that the reference heard.
pub(crate) const BINS: usize = 16;
pub(crate) const FEATURES: usize = 321;

pub(crate) fn golden() -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(GOLDEN.1, &Device::Cpu).expect("the golden values")
}

pub(crate) fn model(device: &Device, precision: Precision, slots: usize) -> FastConformer {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in FILES {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    let Checkpoint { config, tensors, vocabulary } =
        Checkpoint::read(folder.path(), &Device::Cpu).expect("the tiny checkpoint");
    let tensors = tensors.on(device).with(precision.dtype());
    FastConformer::new(Checkpoint { config, tensors, vocabulary }, slots).expect("a whole checkpoint")
}

/// The golden features from `first` on, in chunks.
pub(crate) fn chunks(first: usize, count: usize, lookahead: usize) -> Vec<Chunk> {
    let features = floats(&golden()["features.16"]);
    let mut chunks = Chunks::new(BINS);
    let end = ((first + count) * BINS).min(features.len());
    chunks.push(features.get(first * BINS..end).unwrap_or_default());
    std::iter::from_fn(|| chunks.next(lookahead, true)).collect()
}

pub(crate) fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor
        .to_dtype(candle_core::DType::F32)
        .and_then(|tensor| tensor.flatten_all()?.to_vec1())
        .expect("floats")
}
