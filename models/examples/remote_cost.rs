//! What it costs to be heard on another node: the same scripted engine, here and through a connection of this machine.
//!
//!     cargo run --release -p models --features remote --example remote_cost -- [callers] [seconds]
//!
//! Callers speak tones in real time. For each way: how long after a word's last sample its partial result is told, and
//! the processor's time for each caller. Through the network both nodes are this one process, so what it costs is both
//! sides' together.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench measures and prints"
)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use models::audio::AudioSender;
use models::engine::{ListenRequest, Listening, RecogniserEvent, SpeechToText};
use models::remote::{Remote, Served, Server, Settings};
use models::scripted::{Control, Recogniser, tone_code};

/// The sampling rate of telephony, in hertz, and 20 ms of it.
const RATE_HZ: u32 = 8_000;
const FRAME: usize = 160;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let callers = arguments.next().unwrap_or(200);
    let seconds = arguments.next().unwrap_or(10);
    let engine =
        || Recogniser::start(models::scripted::Settings::default(), Control::default()).expect("starts");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let served = Served { speech_to_text: Some(Arc::new(engine())), ..Served::default() };
    let any = Settings { listen: "127.0.0.1:0".parse().expect("an address"), ..Settings::default() };
    let server = runtime.block_on(Server::start(&any, served)).expect("starts");
    let nodes = vec![format!("http://{}", server.address())];
    let remote = Remote::start(&Settings { nodes, ..Settings::default() }, runtime.handle()).expect("starts");
    let elsewhere = remote.speech_to_text(None).expect("starts");
    let here = engine();
    println!("{callers} callers, {seconds} s each way");
    println!("where      partials  p50 ms  p95 ms  p99 ms  processor per caller");
    for _ in 0..2 {
        measure("here", &here, callers, seconds);
        measure("elsewhere", elsewhere.as_ref(), callers, seconds);
    }
    runtime.block_on(server.stop(Duration::from_secs(1)));
}

struct Caller {
    audio: AudioSender,
    _listening: Box<dyn Listening>,
    told: Receiver<Instant>,
}

/// Everybody says one word after the other, at the pace of speech.
fn measure(name: &str, engine: &dyn SpeechToText, callers: usize, seconds: usize) {
    let (word, _) = tone_code::encode("word", RATE_HZ);
    let mut open: Vec<Caller> = (0..callers).map(|_| caller(engine)).collect();
    // Everybody is granted and heard before it counts.
    std::thread::sleep(Duration::from_millis(500));
    let (used, began) = (processor_ms(), Instant::now());
    let mut spoken: Vec<Vec<Instant>> = vec![Vec::new(); callers];
    for tick in 0..seconds * 50 {
        for (at, caller) in open.iter_mut().enumerate() {
            // Not all in the same step.
            let from = (tick * FRAME + at * 37) % word.len();
            let frame: Vec<i16> = word.iter().cycle().skip(from).take(FRAME).copied().collect();
            caller.audio.write(&frame);
            if from + FRAME >= word.len() {
                spoken[at].push(Instant::now());
            }
        }
        let next = began + Duration::from_millis(20 * (tick as u64 + 1));
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    let used = processor_ms() - used;
    std::thread::sleep(Duration::from_millis(300));
    let mut waited: Vec<f64> = Vec::new();
    for (caller, ends) in open.iter().zip(&spoken) {
        for told in caller.told.try_iter() {
            // A word is told after its last sample and before the next one's.
            if let Some(end) = ends.iter().rev().find(|end| **end <= told) {
                waited.push(told.duration_since(*end).as_secs_f64() * 1_000.0);
            }
        }
    }
    waited.sort_by(f64::total_cmp);
    let at = |part: f64| waited.get((waited.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
    println!(
        "{name:9}  {:8}  {:6.1}  {:6.1}  {:6.1}  {:.3} % of a core",
        waited.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        used / took * 100.0 / callers as f64
    );
}

fn caller(engine: &dyn SpeechToText) -> Caller {
    let (sender, told) = sync_channel(10_000);
    let request = ListenRequest { rate_hz: RATE_HZ, ..ListenRequest::default() };
    let tell = move |event| {
        if let RecogniserEvent::Partial { .. } = event {
            // A channel that is full holds more than is measured.
            let _ = sender.try_send(Instant::now());
        }
    };
    let (audio, listening) = engine.listen(request, Box::new(tell)).expect("a session");
    Caller { audio, _listening: listening, told }
}

/// The processor time of this process so far: fields 14 and 15 of its `stat` file, in ticks of 10 ms.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}
