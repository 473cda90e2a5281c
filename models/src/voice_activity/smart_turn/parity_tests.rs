//! Against the reference implementation: see `models/tests/reference/smart_turn.py`, and for the published weights
//! `smart_turn_published.py`.

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
        let frames = model.encode(&[samples]).expect("encodes").narrow(1, 300, 100).expect("the last frames");
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

/// Where `ops/install test` puts the published weights.
fn published() -> PathBuf {
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../target/weights/smart-turn-v3/smart-turn-v3.2-cpu.onnx");
    assert!(Path::new(file).is_file(), "no weights at {file}: run `ops/install test`");
    file.into()
}

#[test]
fn published_weights_judge_real_speech_as_the_reference_does() {
    let golden = candle_core::safetensors::load(folder().join("published.safetensors"), &Device::Cpu)
        .expect("made by the script");
    let model = SmartTurn::read(&published(), &Shape::default(), &Device::Cpu).expect("whole weights");
    assert_eq!(golden.len(), 12);
    let (mut worst, mut worst_published): (f32, f32) = (0.0, 0.0);
    for (name, both) in &golden {
        let (reading, count) = name.split_once('.').expect("a reading and a length");
        let file = folder().join(format!("../../speech/librivox-{reading}.wav"));
        let samples: Vec<i16> = hound::WavReader::open(file)
            .expect("a reading")
            .into_samples()
            .collect::<Result<_, _>>()
            .expect("16-bit samples");
        let count: usize = count.parse().expect("a length");
        let ours = model.probability(&samples[..count]).expect("judges");
        let both = floats(both);
        println!(
            "{name}: ours {ours:.5}, the reference {:.5}, with rounded activations {:.5}",
            both[1], both[0]
        );
        worst = worst.max((ours - both[1]).abs());
        worst_published = worst_published.max((ours - both[0]).abs());
    }
    // 8-bit weights, activations in floats: the same sums in another order.
    assert!(worst <= 1e-4, "{worst}");
    // Rounding activations to 8 bits moves probabilities by far more than that: what others get is another model.
    assert!(worst_published > 0.1, "{worst_published}");
}

#[test]
fn several_turns_in_one_pass_are_judged_as_each_alone() {
    let golden =
        candle_core::safetensors::load(folder().join("golden.safetensors"), &Device::Cpu).expect("there");
    let shape = Shape { width: 32, layers: 2, heads: 4, inner: 48 };
    let model =
        SmartTurn::read(&folder().join("model.safetensors"), &shape, &Device::Cpu).expect("a whole file");
    let audio: Vec<i16> = floats(&golden["audio"]).iter().map(|sample| *sample as i16).collect();
    let turns: [&[i16]; 4] = [&audio[..50_000], &audio, &[], &audio[..9_000]];
    let together = model.probabilities(&turns).expect("judges");
    assert_eq!(together.len(), turns.len());
    for (samples, together) in turns.iter().zip(together) {
        let alone = model.probability(samples).expect("judges");
        assert!((alone - together).abs() <= 1e-5, "{alone} alone, {together} together");
    }
}
