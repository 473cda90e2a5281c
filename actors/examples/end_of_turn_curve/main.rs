//! How often callers are cut off, and how long they wait, by what their turns are ended: the curve to choose settings
//! from.
//!
//!     cargo run -p actors --features models/candle --example end_of_turn_curve -- \
//!         --smart-turn smart-turn-v3.2-cpu.onnx [--only people|flite] [--hangover 320] [--judge 150] [a.wav …]
//!
//! Turns are readings by people, cut at quiet places and with silence put in, and telephone sentences by flite with
//! silence between words, all at 8 kHz through G.711. The node's own voice activity finds the pauses, pocketsphinx
//! with a barber's phrases says what it understood until then, smart-turn judges what the call would have kept, and
//! the real conversation decides when the turn is over. Silences are 400 to 2,000 ms, evenly: real callers' are not,
//! and a cut reading breaks off without the voice's own warning. So the curve ranks signs and settings; it does not say
//! how often real callers are cut off.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a measurement for a person at a terminal")]

mod pauses;
mod replay;
mod turns;

use std::path::PathBuf;

use actors::call::conversation::Settings;

use pauses::Pause;
use replay::{Signs, finished_after_ms};

/// What one setting came to.
struct Point {
    cut_percent: f64,
    mean_ms: f64,
    late_ms: u64,
}

fn main() {
    let mut files: Vec<PathBuf> = Vec::new();
    let (mut weights, mut hangover_ms, mut judge_ms, mut only) = (None, 320, 150, None);
    let mut words = std::env::args().skip(1);
    let number = |word: Option<String>| word.and_then(|word| word.parse().ok()).expect("a number follows");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--smart-turn" => weights = words.next().map(PathBuf::from),
            "--only" => only = words.next(),
            "--hangover" => hangover_ms = number(words.next()),
            "--judge" => judge_ms = u64::from(number(words.next())),
            file => files.push(file.into()),
        }
    }
    let mut listener = pauses::Listener::new(weights.as_deref(), hangover_ms);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let people = if wanted("people") { turns::read(&files) } else { Vec::new() };
    let flite = if wanted("flite") { turns::spoken() } else { Vec::new() };
    for (name, turns) in [("people", people), ("flite", flite)] {
        if turns.is_empty() {
            continue;
        }
        let found: Vec<Pause> = turns.iter().flat_map(|turn| listener.pauses(turn)).collect();
        report(name, &found, judge_ms);
    }
}

fn report(name: &str, pauses: &[Pause], judge_ms: u64) {
    let ends = pauses.iter().filter(|pause| pause.goes_on_ms.is_none()).count();
    println!("\n## {name}: {ends} ends, {} pauses that are none", pauses.len() - ends);
    sounds(pauses);
    let none = Signs { words: false, sound: false, judge_ms };
    for (label, signs) in [
        ("silence", none),
        ("silence + words", Signs { words: true, ..none }),
        ("silence + sound", Signs { sound: true, ..none }),
        ("silence + words + sound", Signs { words: true, sound: true, ..none }),
        ("the same, the judge late by 2 s", Signs { words: true, sound: true, judge_ms: 2_000 }),
    ] {
        println!("{label}:  scale  cut off %  latency ms: mean  9 in 10");
        let scales = [10u32, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 140, 170, 200, 250];
        let points: Vec<(u32, Point)> =
            scales.map(|scale| (scale, point(&scaled(scale), pauses, signs))).into();
        for (scale, point) in &points {
            let Point { cut_percent, mean_ms, late_ms } = point;
            println!("    {scale:3}  {cut_percent:5.1}  {mean_ms:6.0}  {late_ms:5}");
        }
        for most in [5.0, 10.0] {
            let best = points.iter().filter(|(_, point)| point.cut_percent <= most);
            let best = best.map(|(_, point)| point.mean_ms).min_by(f64::total_cmp);
            println!(
                "  at most {most} % cut off: {}",
                best.map_or("never".into(), |ms| format!("{ms:.0} ms"))
            );
        }
    }
    println!(
        "what smart-turn counts (silence + words + sound, scale 100): percent, cut off %, mean ms, 9 in 10 ms"
    );
    let all = Signs { words: true, sound: true, judge_ms };
    for percent in [0, 25, 50, 75, 100, 150, 200] {
        for max in [1_600, 2_000, 2_500] {
            let settings = Settings {
                end_of_turn_sound_percent: percent,
                end_of_turn_ms_max: max,
                ..Settings::default()
            };
            let Point { cut_percent, mean_ms, late_ms } = point(&settings, pauses, all);
            println!("    {percent:3} max {max}  {cut_percent:5.1}  {mean_ms:6.0}  {late_ms:5}");
        }
    }
}

/// How the judge does by itself.
fn sounds(pauses: &[Pause]) {
    let judged: Vec<(bool, f32)> =
        pauses.iter().filter_map(|pause| Some((pause.goes_on_ms.is_none(), pause.sound?))).collect();
    let share = |of_ends: bool| {
        let all = judged.iter().filter(|(is_end, _)| *is_end == of_ends).count();
        let finished = judged.iter().filter(|(is_end, sound)| *is_end == of_ends && *sound >= 0.5).count();
        format!("{finished} of {all}")
    };
    if !judged.is_empty() {
        println!("sound finished (0.5 and more): {} ends, {} other pauses", share(true), share(false));
    }
}

/// The usual waits, all longer or shorter by so many percent.
fn scaled(percent: u32) -> Settings {
    let usual = Settings::default();
    let scaled = |ms: u64| ms * u64::from(percent) / 100;
    Settings {
        end_of_turn_ms: scaled(usual.end_of_turn_ms),
        end_of_turn_unknown_ms: scaled(usual.end_of_turn_unknown_ms),
        end_of_turn_incomplete_ms: scaled(usual.end_of_turn_incomplete_ms),
        end_of_turn_dictation_ms: scaled(usual.end_of_turn_dictation_ms),
        ..usual
    }
}

fn point(settings: &Settings, pauses: &[Pause], signs: Signs) -> Point {
    let (mut cut, mut within, mut waits) = (0, 0, Vec::new());
    for pause in pauses {
        let ms = finished_after_ms(settings, pause, signs);
        match pause.goes_on_ms {
            Some(goes_on_ms) => {
                within += 1;
                cut += usize::from(ms < goes_on_ms);
            }
            None => waits.push(ms + pause.lag_ms),
        }
    }
    waits.sort_unstable();
    let mean_ms = waits.iter().sum::<u64>() as f64 / waits.len().max(1) as f64;
    let late_ms = waits.get(waits.len() * 9 / 10).copied().unwrap_or_default();
    Point { cut_percent: 100.0 * cut as f64 / f64::from(within.max(1) as u32), mean_ms, late_ms }
}
