//! How often callers are cut off, and how long they wait, for each eagerness: the curve to choose a setting from.
//!
//!     cargo run -p models --features candle --example end_of_turn_curve -- [--smart-turn model.safetensors] [a.wav …]
//!
//! Each turn is two readings with a pause between, of 200 to 1,400 ms in steps of 50; the pause must not end the turn,
//! the silence after the second reading must. Without arguments the bundled readings are used, and silence and the
//! voice activity's own lag are all there is to judge by: the curve of the baseline. With smart-turn's weights each
//! pause is judged by its sound as well. Readings have no hesitations, so the pauses are cleaner than callers' are,
//! and a reading that breaks off sounds like the end of a sentence, which it is: the curve ranks settings and shows
//! what a sign is worth on these turns; it doesn't say how often real callers are cut off.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement for a person at a terminal")]

use std::path::{Path, PathBuf};

use models::audio::resample;
use models::voice_activity::end_of_turn::{EndOfTurnSettings, Signs};
use models::voice_activity::{Activity, Settings, VoiceActivity};

/// A silence that voice activity found: where, how long, and what the sound before says.
struct Pause {
    /// Silence before voice activity could say so.
    lag_ms: u32,
    silent_ms: u32,
    is_end: bool,
    sounds_finished: Option<f32>,
}

/// Judges a turn's samples at 16 kHz.
type Judge = Box<dyn Fn(&[i16]) -> Option<f32>>;

fn main() {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut judge: Judge = Box::new(|_| None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--smart-turn" {
            judge = smart_turn(Path::new(&words.next().expect("a file follows --smart-turn")));
        } else {
            files.push(word.into());
        }
    }
    if files.is_empty() {
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/speech");
        files = ["0880", "0920", "0930"].map(|name| bundled.join(format!("librivox-{name}.wav"))).to_vec();
    }
    let readings: Vec<Vec<i16>> = files.iter().map(|file| reading(file)).collect();
    let mut pauses = Vec::new();
    for (first, second) in readings.iter().zip(readings.iter().cycle().skip(1)) {
        for gap_ms in (200..=1_400).step_by(50) {
            pauses.extend(turn(first, second, gap_ms, &judge));
        }
    }
    let within = pauses.iter().filter(|pause| !pause.is_end).count();
    let ends = pauses.len() - within;
    println!("{ends} ends and {within} pauses that are none");
    println!("eagerness  cut off in %  latency at the end, mean ms");
    for step in -8i8..=8 {
        let settings = EndOfTurnSettings { eagerness: f32::from(step) / 2.0, ..EndOfTurnSettings::default() };
        let wait = |pause: &Pause| {
            let signs = Signs { sounds_finished: pause.sounds_finished, ..Signs::default() };
            settings.silence_ms(&signs).max(pause.lag_ms)
        };
        let cut = pauses.iter().filter(|pause| !pause.is_end && wait(pause) < pause.silent_ms).count();
        let waited: u32 = pauses.iter().filter(|pause| pause.is_end).map(wait).sum();
        let share = 100.0 * cut as f64 / within.max(1) as f64;
        println!("{:9.1}  {share:12.1}  {:.0}", settings.eagerness, f64::from(waited) / ends.max(1) as f64);
    }
}

#[cfg(feature = "candle")]
fn smart_turn(file: &Path) -> Judge {
    use models::voice_activity::smart_turn::{Shape, SmartTurn};
    let model =
        SmartTurn::read(file, &Shape::default(), &candle_core::Device::Cpu).expect("smart-turn's weights");
    Box::new(move |samples| model.probability(samples).ok())
}

#[cfg(not(feature = "candle"))]
fn smart_turn(_: &Path) -> Judge {
    Box::new(|_| None)
}

/// A reading at 8 kHz, without the silence around it.
fn reading(file: &Path) -> Vec<i16> {
    let reader = hound::WavReader::open(file).expect("a reading");
    let rate_hz = reader.spec().sample_rate;
    let samples: Vec<i16> = reader.into_samples().collect::<Result<_, _>>().expect("16-bit samples");
    let narrow = resample(&samples, rate_hz, 8_000);
    let is_loud = |sample: &i16| sample.unsigned_abs() > 400;
    let first = narrow.iter().position(is_loud).unwrap_or(0);
    let last = narrow.iter().rposition(is_loud).unwrap_or(0);
    narrow.get(first..=last).unwrap_or_default().to_vec()
}

/// The pauses of a turn of two readings.
fn turn(first: &[i16], second: &[i16], gap_ms: usize, judge: &Judge) -> Vec<Pause> {
    let quiet = |ms: usize| (0..ms * 8).map(|at| ((at * 7_919) % 17) as i16 - 8);
    let mut audio: Vec<i16> = quiet(500).chain(first.iter().copied()).collect();
    let gap_at = audio.len();
    audio.extend(quiet(gap_ms).chain(second.iter().copied()));
    let end_at = audio.len();
    audio.extend(quiet(2_000));
    // As short a hangover as is safe: what ends a turn is judged here.
    let settings = Settings { hangover_ms: 96, ..Settings::default() };
    let mut activity = VoiceActivity::new(&settings);
    let mut pauses = Vec::new();
    for (piece, samples) in audio.chunks(160).enumerate() {
        let at = (piece + 1) * 160;
        if activity.process(samples) != Some(Activity::SpeechStopped) {
            continue;
        }
        let near = |place: usize, most: usize| (place.saturating_sub(800)..place + most * 8).contains(&at);
        let (start, silent_ms, is_end) = if near(end_at, 2_000) {
            (end_at, 2_000, true)
        } else if near(gap_at, gap_ms) {
            (gap_at, gap_ms as u32, false)
        } else {
            continue;
        };
        let heard = audio.get(4_000..at).unwrap_or_default();
        let lag_ms = (at.saturating_sub(start) / 8) as u32;
        let sounds_finished = judge(&resample(heard, 8_000, 16_000));
        pauses.push(Pause { lag_ms, silent_ms, is_end, sounds_finished });
    }
    pauses
}
