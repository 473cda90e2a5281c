//! Against the reference implementation: see `models/tests/reference/smart_turn.py`.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::features::{FRAMES, Features, MEL_BINS};
use super::{Shape, SmartTurn};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/smart_turn")
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("32-bit floats")
}

#[test]
fn features_frames_and_probabilities_are_the_references() {
    let golden =
        candle_core::safetensors::load(folder().join("golden.safetensors"), &Device::Cpu).expect("there");
    let shape = Shape { width: 32, layers: 2, heads: 4, inner: 48 };
    let model =
        SmartTurn::read(&folder().join("model.safetensors"), &shape, &Device::Cpu).expect("a whole file");
    let audio: Vec<i16> = floats(&golden["audio"]).iter().map(|sample| *sample as i16).collect();
    let mut probabilities = Vec::new();
    // Less than eight seconds, and more.
    for (name, samples) in [("short", &audio[..50_000]), ("long", &audio[..])] {
        let features = Features::new().of(samples);
        let kept: Vec<f32> = features.iter().skip(FRAMES * 3).step_by(7).copied().collect();
        let expected = floats(&golden[&format!("{name}.features")]);
        assert_eq!((features.len(), kept.len()), (MEL_BINS * FRAMES, expected.len()));
        let worst = kept.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-4, "{name}: features off by {worst}");
        let frames = model.encode(samples).expect("encodes").narrow(1, 300, 100).expect("the last frames");
        let (ours, theirs) = (floats(&frames), floats(&golden[&format!("{name}.encoded")]));
        let off: f32 = ours.iter().zip(&theirs).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        let all: f32 = theirs.iter().map(|value| value.powi(2)).sum::<f32>().sqrt();
        assert!(off <= 1e-4 * all, "{name}: frames off by {off} of {all}");
        let probability = model.probability(samples).expect("judges");
        let expected = floats(&golden[&format!("{name}.probability")])[0];
        assert!((probability - expected).abs() <= 1e-4, "{name}: {probability} instead of {expected}");
        probabilities.push(probability);
    }
    assert!((probabilities[0] - probabilities[1]).abs() > 1e-2, "the golden cases differ: {probabilities:?}");
}

#[test]
fn another_shape_is_refused_by_name() {
    let error = SmartTurn::read(&folder().join("model.safetensors"), &Shape::default(), &Device::Cpu).err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("encoder.conv1.weight is [32, 80, 3], not [384, 80, 3]"), "{error}");
    assert!(error.contains("missing: encoder.layers.2."), "{error}");
}
