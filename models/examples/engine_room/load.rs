//! Twice the load that the machine can bear: whoever is accepted keeps real time, the others are refused.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use models::batching::{AdmissionSettings, Tenant};
use models::speech_to_text::FastConformer;
use models::speech_to_text::checkpoint::Checkpoint;
use models::speech_to_text::model::{Chunk, Decoded};
use models::step_loop::{Device, Event, Failure, Health, Precision, Preparation, Settings, StepLoop, Stream};

use crate::Wanted;
use crate::report::Report;

/// Frames of a chunk, of 80 ms each.
const FRAMES: usize = 2;
const PERIOD_MS: u64 = 80 * FRAMES as u64;
/// Loading, and steps of every size, on a slow machine.
const PATIENCE: Duration = Duration::from_mins(10);

/// Somebody who speaks all the time.
struct Caller {
    stream: Stream<Chunk, Decoded>,
    events: Receiver<(Event<Decoded>, Instant)>,
    /// When each chunk was pushed.
    pushed: Vec<Instant>,
}

pub(crate) fn check(wanted: &Wanted, report: &mut Report) {
    let engine = engine(wanted);
    assert_eq!(engine.wait_until_ready(PATIENCE), Health::Ready);
    let mut callers: Vec<Caller> = Vec::new();
    while let Some(caller) = open(&engine) {
        callers.push(caller);
    }
    // As many again, while those who were accepted speak.
    let mut refused = 0;
    let (period, count) = (Duration::from_millis(PERIOD_MS), callers.len());
    let chunks = (wanted.seconds * 1_000).div_ceil(PERIOD_MS) as usize;
    let (started, mut lost) = (Instant::now(), 0);
    for at in 0..chunks {
        for (number, caller) in callers.iter_mut().enumerate() {
            let due = period * at as u32 + period * number as u32 / count.max(1) as u32;
            std::thread::sleep(due.saturating_sub(started.elapsed()));
            caller.pushed.push(Instant::now());
            let pushed = caller.stream.push(chunk(at == 0), period);
            lost += usize::from(pushed.is_err());
            if at == chunks / 2 {
                refused += usize::from(open(&engine).is_none());
            }
        }
    }
    let mut waits: Vec<Duration> = callers.iter().flat_map(waits).collect();
    waits.sort_unstable();
    let p99 = waits.get((waits.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    let answered = waits.len() + lost == count * chunks;
    report.check(
        format!("twice the load, {PERIOD_MS} ms chunks"),
        count > 0 && refused == count && lost == 0 && answered && p99 <= 2 * period,
        format!(
            "{count} accepted, {refused} of as many more refused; {} of {} chunks answered, p99 after {} ms",
            waits.len(),
            count * chunks,
            p99.as_millis()
        ),
    );
}

fn engine(wanted: &Wanted) -> StepLoop<Chunk, Decoded> {
    let (processor, rows) = (wanted.processor, wanted.rows);
    let device = processor.open().expect("a processor");
    // It is built once: the checkpoint goes with the first.
    let mut read = Some(wanted.checkpoint(&device));
    let precision = if device.is_cuda() { Precision::Bf16 } else { Precision::F32 };
    let factory = move || {
        let failed = |why: &str| Failure::Failed { why: why.into() };
        let Checkpoint { config, tensors, vocabulary } = read.take().ok_or_else(|| failed("built twice"))?;
        let checkpoint = Checkpoint { config, tensors: tensors.with(precision.dtype()), vocabulary };
        FastConformer::new(checkpoint, rows + 1).map_err(|error| failed(&error.to_string()))
    };
    let warm_up = vec![chunk(true)];
    let preparation = Preparation { canary: warm_up.clone(), warm_up, judge: Box::new(|_| Ok(())) };
    let settings = Settings { slots: rows, period_ms: PERIOD_MS, canary_ms: 0, ..Settings::default() };
    let admission = AdmissionSettings { tenant_streams_max: rows, ..AdmissionSettings::default() };
    StepLoop::start("engine room", settings, &Device::new(admission), factory, preparation).expect("threads")
}

fn open(engine: &StepLoop<Chunk, Decoded>) -> Option<Caller> {
    let (sender, events) = sync_channel(10_000);
    let listener = Box::new(move |event| drop(sender.try_send((event, Instant::now()))));
    let stream = engine.open(Tenant(0), 1, listener).ok()?;
    Some(Caller { stream, events, pushed: Vec::new() })
}

/// A chunk of noise.
fn chunk(begins: bool) -> Chunk {
    const BINS: usize = 128;
    let features = 8 * FRAMES - if begins { 7 } else { 0 };
    let value = |at: usize| -8.0 + (at as f32 * 0.37).sin() * 4.0;
    Chunk { features: (0..features * BINS).map(value).collect(), lookahead: FRAMES - 1, begins }
}

/// From each chunk to its answer.
fn waits(caller: &Caller) -> Vec<Duration> {
    let mut waits = Vec::new();
    for pushed in &caller.pushed {
        // Long enough for whoever is late to be seen to be late.
        match caller.events.recv_timeout(Duration::from_secs(10)) {
            Ok((Event::Output { .. }, at)) => waits.push(at.saturating_duration_since(*pushed)),
            Ok(_) | Err(_) => break,
        }
    }
    waits
}
