//! How long steps take, how many streams that allows, and how far it is from what the machine could do.

use std::collections::VecDeque;
use std::time::Instant;

use candle_core::{DType, Device};
use models::speech_to_text::checkpoint::Checkpoint;
use models::speech_to_text::model::Chunk;
use models::speech_to_text::{Config, FastConformer};
use models::step_loop::{Model, Precision, Row};

use crate::Wanted;
use crate::machine::{memory, processor_ms};
use crate::report::{Capacity, Report, Step};

const SIZES: [usize; 16] = [1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536];
/// The part of a period that its step may take, in percent.
const BUSY_PERCENT_MAX: f64 = 70.0;
/// Steps before those that are measured.
const UNMEASURED: usize = 3;
/// A step that takes more of its period than this is as far as sizes are tried.
const BUSY_PERCENT_TRIED: f64 = 150.0;

pub(crate) fn measure(device: &Device, precision: Precision, wanted: &Wanted, report: &mut Report) {
    let made = |slots: usize| {
        let Checkpoint { config, tensors, vocabulary } = wanted.checkpoint(device);
        let tensors = tensors.with(precision.dtype());
        FastConformer::new(Checkpoint { config, tensors, vocabulary }, slots).expect("whole weights")
    };
    // Of two models the second: the first also pays for what both share.
    let mut model = made(1);
    let before = memory(device);
    drop(std::mem::replace(&mut model, made(wanted.rows)));
    model_step(&mut model, wanted.rows.min(4), 0, 0);
    let weights = weights(model.config()) as f64;
    let width = if precision == Precision::Bf16 { 2.0 } else { 4.0 };
    let each = (memory(device) - before) / (wanted.rows.saturating_sub(1).max(1)) as f64;
    for lookahead in [0, 1, 3] {
        let mut capacity = Capacity {
            shape: wanted.shape.clone(),
            precision: format!("{precision:?}").to_lowercase(),
            chunk_ms: 80 * (lookahead + 1),
            streams: 0,
            more: true,
            memory_per_stream_mb: each.max(0.0) / 1e6,
            tokens_per_second: 0.0,
        };
        for rows in SIZES.into_iter().filter(|rows| *rows <= wanted.rows) {
            let used = processor_ms();
            let (times, tokens) = times(device, &mut model, rows, lookahead, wanted.steps);
            let used = (processor_ms() - used) / (wanted.steps + UNMEASURED) as f64;
            let step = Step {
                shape: wanted.shape.clone(),
                precision: capacity.precision.clone(),
                chunk_ms: capacity.chunk_ms,
                streams: rows,
                p50_ms: times[times.len() / 2],
                p99_ms: times[(times.len() * 99).div_ceil(100) - 1],
                processor_ms: used,
                tokens_per_second: tokens,
                busy_percent: 0.0,
                roofline_percent: 0.0,
                bound: "",
            };
            let step = judged(step, model.config(), (weights, width), precision, report);
            let busy_percent = step.busy_percent;
            report.steps.push(step);
            if busy_percent <= BUSY_PERCENT_MAX {
                capacity.streams = rows;
                capacity.tokens_per_second = tokens;
            } else {
                capacity.more = false;
            }
            if busy_percent > BUSY_PERCENT_TRIED {
                break;
            }
        }
        report.capacity.push(capacity);
    }
}

/// Sorted times in milliseconds, and the tokens that a stream says in a second.
fn times(
    device: &Device,
    model: &mut FastConformer,
    rows: usize,
    lookahead: usize,
    steps: usize,
) -> (Vec<f64>, f64) {
    let (mut times, mut tokens) = (VecDeque::new(), 0);
    for step in 0..steps + UNMEASURED {
        let started = Instant::now();
        let said = model_step(model, rows, lookahead, step);
        device.synchronize().expect("the device answers");
        // The first steps begin streams, and allocate.
        if step >= UNMEASURED {
            times.push_back(started.elapsed().as_secs_f64() * 1_000.0);
            tokens += said;
        }
    }
    let seconds = steps as f64 * rows as f64 * 0.08 * (lookahead + 1) as f64;
    let mut times: Vec<f64> = times.into();
    times.sort_by(f64::total_cmp);
    (times, tokens as f64 / seconds)
}

/// A step of `rows` streams, each with its own noise; how many tokens they said.
fn model_step(model: &mut FastConformer, rows: usize, lookahead: usize, step: usize) -> usize {
    let bins = model.config().mel_bins;
    let row = |slot: usize| {
        let features = 8 * (lookahead + 1) - if step == 0 { 7 } else { 0 };
        let mut noise = (slot * 7_919 + step * 104_729 + 1) as u32;
        let mut next = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            -8.0 + 4.0 * (noise >> 8) as f32 / (1 << 24) as f32
        };
        let features = (0..features * bins).map(|_| next()).collect();
        Row { slot, input: Chunk { features, lookahead, begins: step == 0 } }
    };
    let decoded = model.step((0..rows).map(row).collect()).expect("steps");
    decoded.iter().map(|decoded| decoded.tokens.len()).sum()
}

/// Weights of the encoder and the joint network, which every step reads.
fn weights(config: &Config) -> usize {
    let width = config.width;
    let block = 2 * 2 * width * config.feed_forward + 4 * width * width + 3 * width * width;
    let joint = config.predictor_width * (config.tokens + width);
    config.layers * block + joint
}

/// How far the step is from the machine's roofline: what it must read, and what it must work out.
fn judged(
    mut step: Step,
    config: &Config,
    (weights, width): (f64, f64),
    precision: Precision,
    report: &Report,
) -> Step {
    let frames = (step.streams * step.chunk_ms / 80) as f64;
    let past = (step.streams * config.layers * 2 * config.left_frames * config.width) as f64;
    let seen = 3.0 * 2.0 * frames * (config.layers * config.left_frames * config.width) as f64;
    let (bytes, operations) = ((weights + past) * width, 2.0 * weights * frames + seen);
    let peak =
        if precision.dtype() == DType::F32 { report.machine.f32_gflop } else { report.machine.bf16_gflop };
    // Copying reads and writes; a step hardly writes, so the memory's side is a little too far.
    let by_memory = bytes / (report.machine.bandwidth_gb * 1e9);
    let by_arithmetic = operations / (peak * 1e9);
    step.bound = if by_memory > by_arithmetic { "memory" } else { "arithmetic" };
    step.roofline_percent = 100.0 * 1_000.0 * by_memory.max(by_arithmetic) / step.p50_ms.max(1e-9);
    step.busy_percent = 100.0 * step.p99_ms / step.chunk_ms as f64;
    step
}
