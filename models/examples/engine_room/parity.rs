//! Streaming against the reference's offline pass: layer by layer, and token by token.

use candle_core::{DType, Device, Tensor};
use models::step_loop::{Precision, Row};

use crate::report::Report;
use crate::tiny::{FEATURES, chunks, floats, golden, model};

/// How far off a layer may be, and how like it must be.
struct Bounds {
    off: f64,
    likeness: f64,
}

fn bounds(device: &Device, precision: Precision) -> Bounds {
    match (device.is_cuda(), precision) {
        (false, Precision::F32) => Bounds { off: 1e-5, likeness: 0.999_99 },
        (true, Precision::F32) => Bounds { off: 1e-4, likeness: 0.999_99 },
        (_, Precision::Bf16) => Bounds { off: 2e-2, likeness: 0.999 },
    }
}

pub(crate) fn check(device: &Device, precision: Precision, report: &mut Report) {
    let (golden, bounds) = (golden(), bounds(device, precision));
    for lookahead in [3, 4, 1, 0] {
        let (layers, said) = streamed(device, precision, lookahead);
        let name = format!("streaming = reference, {precision:?}, {} ms", 80 * (lookahead + 1));
        let encoded = layers.last().expect("layers");
        judge(&name, "encoded", encoded, &golden[&format!("encoded.{lookahead}")], &bounds, report);
        if lookahead == 3 {
            for (layer, frames) in layers.iter().enumerate() {
                let part = format!("layer {layer}");
                judge(&name, &part, frames, &golden[&format!("hidden.{layer}")], &bounds, report);
            }
        }
        let expected: Vec<i64> = golden[&format!("tokens.{lookahead}")].to_vec1().expect("numbers");
        let same = said.iter().zip(&expected).take_while(|(said, expected)| said == expected).count();
        let seen = format!("{same} of {} tokens the same from the start", expected.len());
        // What 16 bits say may part from what 32 do at one near draw, and then goes its own way.
        let right = precision == Precision::Bf16 || said == expected;
        report.check(format!("{name}: tokens"), right, seen);
    }
}

fn judge(name: &str, part: &str, ours: &Tensor, theirs: &Tensor, bounds: &Bounds, report: &mut Report) {
    let (ours, theirs) = (floats(ours), floats(theirs));
    let product = |one: &[f32], other: &[f32]| -> f64 {
        one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
    };
    let apart: Vec<f32> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours - theirs).collect();
    let off = (product(&apart, &apart) / product(&theirs, &theirs)).sqrt();
    let likeness = product(&ours, &theirs) / (product(&ours, &ours) * product(&theirs, &theirs)).sqrt();
    let right = ours.len() == theirs.len() && off <= bounds.off && likeness >= bounds.likeness;
    report.check(format!("{name}: {part}"), right, format!("off by {off:.1e}, likeness {likeness:.6}"));
}

/// What each layer makes of the golden features in one stream, and the tokens.
fn streamed(device: &Device, precision: Precision, lookahead: usize) -> (Vec<Tensor>, Vec<i64>) {
    let mut model = model(device, precision, 3);
    let mut layers: Vec<Vec<Tensor>> = vec![Vec::new(); model.config().layers + 1];
    let mut said = Vec::new();
    for input in chunks(0, FEATURES, lookahead) {
        let mut watch = |layer: usize, frames: &Tensor| {
            let frames = frames.squeeze(0).and_then(|one| one.to_dtype(DType::F32)?.to_device(&Device::Cpu));
            layers[layer].push(frames.expect("one stream"));
        };
        let decoded = model.step_watched(vec![Row { slot: 1, input }], &mut watch).expect("steps");
        said.extend(decoded.iter().flat_map(|decoded| &decoded.tokens).map(|token| i64::from(token.number)));
    }
    let whole = |frames: Vec<Tensor>| Tensor::cat(&frames, 0).expect("frames");
    (layers.into_iter().map(whole).collect(), said)
}
