//! How many callers a core hears: the 120M model's shape with random weights, at several batch sizes.
//!
//!     cargo run --release -p models --features candle --example hearing_speed -- [seconds per batch size] [blank ahead]
//!
//! It counts the processor's time, not the clock's, so another program beside it matters little. Set
//! `RAYON_NUM_THREADS=1` to measure one core. It says how fast the arithmetic is, and nothing about how well
//! the real weights hear. What is said costs time: how much random weights say is set by how far the blank is ahead of
//! every other token, 0.5 where nothing else is given.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement for a person at a terminal")]

#[cfg(feature = "candle")]
fn main() {
    use std::time::{Duration, Instant};

    use candle_core::Device;
    use models::speech_to_text::checkpoint::Checkpoint;
    use models::speech_to_text::model::Chunk;
    use models::speech_to_text::{Config, FastConformer};
    use models::step_loop::{Model, Row};

    #[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
    let now = || Instant::now();
    let seconds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(5);
    let blank_ahead = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(0.5);
    let config = Config::of_120m();
    let bins = config.mel_bins;
    let checkpoint = Checkpoint::random(config, 7, blank_ahead, &Device::Cpu);
    let mut model = FastConformer::new(checkpoint, 16).expect("random weights are whole");
    println!("rows  chunk ms  step ms  processor ms  tokens/s  real-time factor  streams a core at 70 %");
    for lookahead in [1usize, 0] {
        for rows in [1usize, 4, 8, 16] {
            let chunk = |begins: bool| {
                let features = 8 * (lookahead + 1) - if begins { 7 } else { 0 };
                let value = |at: usize| -8.0 + (at as f32 * 0.37).sin() * 4.0;
                Chunk { features: (0..features * bins).map(value).collect(), lookahead, begins }
            };
            let mut step = |begins| {
                let row = |slot| Row { slot, input: chunk(begins) };
                let decoded = model.step((0..rows).map(row).collect()).expect("steps");
                decoded.iter().map(|decoded| decoded.tokens.len()).sum::<usize>()
            };
            step(true);
            step(false);
            let (started, used, mut steps, mut said) = (now(), processor_ms(), 0u32, 0);
            while started.elapsed() < Duration::from_secs(seconds) {
                said += step(false);
                steps += 1;
            }
            let step_ms = started.elapsed().as_secs_f64() * 1_000.0 / f64::from(steps);
            let used_ms = (processor_ms() - used) / f64::from(steps);
            let chunk_ms = 80.0 * (lookahead + 1) as f64;
            let tokens = said as f64 * 1_000.0 / f64::from(steps) / chunk_ms / rows as f64;
            let factor = used_ms / chunk_ms / rows as f64;
            println!(
                "{rows:4}  {chunk_ms:8}  {step_ms:7.1}  {used_ms:12.1}  {tokens:8.1}  {factor:16.4}  {:.1}",
                0.7 / factor
            );
        }
    }
}

/// The processor time of this process so far: fields 14 and 15 of its `stat` file, in ticks of 10 ms.
#[cfg(feature = "candle")]
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}

#[cfg(not(feature = "candle"))]
fn main() {
    println!("build it with --features candle");
}
