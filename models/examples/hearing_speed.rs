//! How many callers a core hears: the 120M model's shape with random weights, at several batch sizes.
//!
//!     cargo run --release -p models --features candle --example hearing_speed -- [seconds per batch size]
//!
//! It counts the processor's time, not the clock's, so another program beside it matters little. Set
//! `RAYON_NUM_THREADS=1` to measure one core. It says how fast the arithmetic is, and nothing about how well
//! the real weights hear.
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
    let config = Config::of_120m();
    let bins = config.mel_bins;
    let checkpoint = Checkpoint::random(config, 7, &Device::Cpu);
    let mut model = FastConformer::new(checkpoint, 16).expect("random weights are whole");
    println!("rows  chunk ms  step ms  processor ms  real-time factor  streams a core at 70 %");
    for lookahead in [1usize, 0] {
        for rows in [1usize, 4, 8, 16] {
            let chunk = |begins: bool| {
                let features = 8 * (lookahead + 1) - if begins { 7 } else { 0 };
                let value = |at: usize| -8.0 + (at as f32 * 0.37).sin() * 4.0;
                Chunk { features: (0..features * bins).map(value).collect(), lookahead, begins }
            };
            let mut step = |begins| {
                let row = |slot| Row { slot, input: chunk(begins) };
                model.step((0..rows).map(row).collect()).expect("steps");
            };
            step(true);
            step(false);
            let (started, used, mut steps) = (now(), processor_ms(), 0u32);
            while started.elapsed() < Duration::from_secs(seconds) {
                step(false);
                steps += 1;
            }
            let step_ms = started.elapsed().as_secs_f64() * 1_000.0 / f64::from(steps);
            let used_ms = (processor_ms() - used) / f64::from(steps);
            let chunk_ms = 80.0 * (lookahead + 1) as f64;
            let factor = used_ms / chunk_ms / rows as f64;
            println!(
                "{rows:4}  {chunk_ms:8}  {step_ms:7.1}  {used_ms:12.1}  {factor:16.4}  {:.1}",
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
