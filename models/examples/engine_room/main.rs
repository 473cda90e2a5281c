//! All checks and measurements of a machine that runs models, in one program: made for GPUs, runs on a processor too.
//!
//!     cargo run --release -p models --features candle --example engine_room -- [--processor auto|cpu|cuda:0]
//!         [--shape 120m|600m] [--model FOLDER] [--blank 1.5] [--rows 512] [--steps 30] [--seconds 5]
//!         [--weights target/weights] [--out engine_room.json]
//!
//! `ops/build-gpu 90 engine_room` builds it for GPUs. It needs no file: the tiny model and the reference's values are
//! inside. It prints a table and writes the same as JSON; it ends with 1 where a check fails. The large models have
//! random weights, so their speed is real and what they say is not; how much they say is set by how far the blank is
//! ahead of every other token (`--blank`), for what is said costs time. `models/tests/reference/engine_room.py` measures
//! the same shapes in `transformers` on the same machine; with `--save` it leaves its weights in a folder, which
//! `--model` takes.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement for a person at a terminal"
)]

mod batch;
mod faults;
mod hanging;
mod load;
mod machine;
mod overhead;
mod parity;
mod pauses;
mod report;
mod speed;
mod texts;
mod tiny;

use std::path::PathBuf;

use candle_core::Device;
use models::speech_to_text::Config;
use models::speech_to_text::checkpoint::Checkpoint;
use models::step_loop::{Precision, Processor};
use report::{Overhead, Report};

/// What the command line says.
pub(crate) struct Wanted {
    pub(crate) processor: Processor,
    pub(crate) shape: String,
    /// The large model's weights; none for random ones.
    model: Option<PathBuf>,
    /// How much likelier than any other token random weights find the blank.
    blank_ahead: f32,
    /// The most streams of a step.
    pub(crate) rows: usize,
    /// Steps of each size.
    pub(crate) steps: usize,
    /// How long callers speak under load.
    pub(crate) seconds: u64,
    pub(crate) weights: PathBuf,
    out: PathBuf,
}

fn wanted() -> Wanted {
    let mut wanted = Wanted {
        processor: Processor::Auto,
        shape: String::new(),
        model: None,
        blank_ahead: 1.5,
        rows: 0,
        steps: 30,
        seconds: 5,
        weights: "target/weights".into(),
        out: "engine_room.json".into(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_else(|| panic!("a value follows {word}"));
        match word.as_str() {
            "--processor" => wanted.processor = Processor::try_from(value).expect("a processor"),
            "--shape" => wanted.shape = value,
            "--model" => wanted.model = Some(value.into()),
            "--blank" => wanted.blank_ahead = value.parse().expect("a number"),
            "--seconds" => wanted.seconds = value.parse().expect("a number"),
            "--rows" => wanted.rows = value.parse().expect("a number"),
            "--steps" => wanted.steps = value.parse().expect("a number"),
            "--weights" => wanted.weights = value.into(),
            "--out" => wanted.out = value.into(),
            other => panic!("{other} is not known; see the first lines of the source"),
        }
    }
    wanted
}

impl Wanted {
    /// The large model, with chunks of 80, 160 and 320 ms.
    pub(crate) fn checkpoint(&self, device: &Device) -> Checkpoint {
        let lookaheads = vec![3, 1, 0];
        if let Some(folder) = &self.model {
            let Checkpoint { config, tensors, vocabulary } =
                Checkpoint::read(folder, &Device::Cpu).expect("a folder with a model");
            let config = Config { lookaheads, ..config };
            return Checkpoint { config, tensors: tensors.on(device), vocabulary };
        }
        let shape = match self.shape.as_str() {
            "120m" => Config::of_120m(),
            "600m" => Config::of_600m(),
            other => panic!("no shape {other}: 120m or 600m"),
        };
        Checkpoint::random(Config { lookaheads, ..shape }, 7, self.blank_ahead, device)
    }
}

fn main() {
    let mut wanted = wanted();
    let device = wanted.processor.open().expect("a processor");
    let on_gpu = device.is_cuda();
    if wanted.shape.is_empty() {
        wanted.shape = if on_gpu { "600m" } else { "120m" }.into();
    }
    if wanted.rows == 0 {
        wanted.rows = if on_gpu { 1_024 } else { 16 };
    }
    let mut report = Report::default();
    machine::measure(&device, &mut report);
    for precision in [Precision::F32, Precision::Bf16] {
        parity::check(&device, precision, &mut report);
    }
    batch::check(&device, Precision::F32, &mut report);
    faults::check(wanted.processor, &mut report);
    hanging::check(wanted.processor, &mut report);
    // On a processor 16 bits are slower than 32 and of no use.
    let precisions = if on_gpu { &[Precision::F32, Precision::Bf16][..] } else { &[Precision::F32][..] };
    for precision in precisions {
        speed::measure(&device, *precision, &wanted, &mut report);
    }
    load::check(&wanted, &mut report);
    texts::measure(&wanted, &mut report);
    pauses::measure(&wanted, &mut report);
    let costs = |size| Overhead { size, step_ns: overhead::step_ns(size), pass_ns: overhead::pass_ns(size) };
    report.overhead = overhead::SIZES.map(costs).into();
    println!("{report}");
    let json = serde_json::to_string_pretty(&report).expect("plain values");
    std::fs::write(&wanted.out, json).expect("a place to write to");
    println!("written to {}", wanted.out.display());
    if report.failed() > 0 {
        std::process::exit(1);
    }
}
