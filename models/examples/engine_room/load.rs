//! Twice the load that the machine can bear: whoever is accepted keeps real time, the others are refused.
//!
//! How many it can bear is measured first. A machine that keeps nobody with chunks of one length is tried with longer
//! ones; where it keeps nobody with the longest either, that is what is said, and nothing is shown.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use models::batching::{AdmissionSettings, Refusal, ScheduleSettings, Tenant};
use models::speech_to_text::FastConformer;
use models::speech_to_text::checkpoint::Checkpoint;
use models::speech_to_text::model::{Chunk, Decoded};
use models::step_loop::{Device, Event, Failure, Health, Precision, Preparation, Settings, StepLoop, Stream};

use crate::Wanted;
use crate::report::Report;

/// Frames of a chunk, of 80 ms each, as a model may be trained for: shortest first.
const FRAMES: [usize; 4] = [2, 4, 7, 14];
const FRAME_MS: u64 = 80;
/// Loading, and steps of every size, on a slow machine.
const PATIENCE: Duration = Duration::from_mins(10);

/// Somebody who speaks all the time.
struct Caller {
    stream: Stream<Chunk, Decoded>,
    events: Receiver<(Event<Decoded>, Instant)>,
    /// When each chunk was pushed.
    pushed: Vec<Instant>,
}

/// The engine with chunks of one length.
struct Engine {
    steps: StepLoop<Chunk, Decoded>,
    bins: usize,
    frames: usize,
}

pub(crate) fn check(wanted: &Wanted, report: &mut Report) {
    let mut kept_nobody = Vec::new();
    for frames in FRAMES {
        let chunk_ms = FRAME_MS * frames as u64;
        // What the steps above say costs no second measurement.
        let measured = report.capacity.iter().filter(|one| one.chunk_ms as u64 == chunk_ms);
        if measured.max_by_key(|one| one.streams).is_some_and(|one| one.streams == 0) {
            kept_nobody.push(format!("nobody at {chunk_ms} ms (a step of one takes more than 70 % of it)"));
            continue;
        }
        let engine = Engine::start(wanted, frames);
        let mut callers = Vec::new();
        let refusal = loop {
            match engine.open() {
                Ok(caller) => callers.push(caller),
                Err(refusal) => break refusal,
            }
        };
        if callers.is_empty() {
            kept_nobody.push(format!("nobody at {chunk_ms} ms ({refusal})"));
            continue;
        }
        return offer_twice(&engine, callers, refusal, wanted.seconds, report);
    }
    report.not_shown("twice the load", format!("this machine can keep {}", kept_nobody.join(", ")));
}

/// As many again ask while those who were accepted speak.
fn offer_twice(
    engine: &Engine,
    mut callers: Vec<Caller>,
    first_refusal: Refusal,
    seconds: u64,
    report: &mut Report,
) {
    let chunk_ms = FRAME_MS * engine.frames as u64;
    let (period, count) = (Duration::from_millis(chunk_ms), callers.len());
    let chunks = (seconds * 1_000).div_ceil(chunk_ms).max(4) as usize;
    let (started, mut lost, mut refused) = (Instant::now(), 0, 0);
    for at in 0..chunks {
        for (number, caller) in callers.iter_mut().enumerate() {
            let due = period * at as u32 + period * number as u32 / count as u32;
            std::thread::sleep(due.saturating_sub(started.elapsed()));
            caller.pushed.push(Instant::now());
            let pushed = caller.stream.push(chunk(engine.bins, engine.frames, at == 0), period);
            lost += usize::from(pushed.is_err());
            if at == chunks / 2 {
                refused += usize::from(engine.open().is_err());
            }
        }
    }
    let mut waits: Vec<Duration> = callers.iter().flat_map(waits).collect();
    waits.sort_unstable();
    let p99 = waits.get((waits.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    let answered = waits.len() + lost == count * chunks;
    report.check(
        format!("twice the load, {chunk_ms} ms chunks"),
        refused == count && lost == 0 && answered && p99 <= 2 * period,
        format!(
            "{count} accepted ({first_refusal}), {refused} of as many more refused; {} of {} chunks answered, p99 after {} ms",
            waits.len(),
            count * chunks,
            p99.as_millis()
        ),
    );
}

impl Engine {
    fn start(wanted: &Wanted, frames: usize) -> Self {
        let (processor, rows) = (wanted.processor, wanted.rows);
        let device = processor.open().expect("a processor");
        // It is built once: the checkpoint goes with the first.
        let mut checkpoint = wanted.checkpoint(&device);
        checkpoint.config.lookaheads = FRAMES.iter().rev().map(|frames| frames - 1).collect();
        let bins = checkpoint.config.mel_bins;
        let mut read = Some(checkpoint);
        let precision = if device.is_cuda() { Precision::Bf16 } else { Precision::F32 };
        let factory = move || {
            let failed = |why: &str| Failure::Failed { why: why.into() };
            let Checkpoint { config, tensors, vocabulary } =
                read.take().ok_or_else(|| failed("built twice"))?;
            let checkpoint = Checkpoint { config, tensors: tensors.with(precision.dtype()), vocabulary };
            FastConformer::new(checkpoint, rows + 1).map_err(|error| failed(&error.to_string()))
        };
        let warm_up = vec![chunk(bins, frames, true)];
        let preparation = Preparation { canary: warm_up.clone(), warm_up, judge: Box::new(|_| Ok(())) };
        let period_ms = FRAME_MS * frames as u64;
        let usual = Settings::default();
        // A step of long chunks may take long.
        let settings = Settings {
            slots: rows,
            period_ms,
            canary_ms: 0,
            stall_ms: usual.stall_ms.max(2 * period_ms),
            lag_ms_max: usual.lag_ms_max.max(3 * period_ms),
            schedule: ScheduleSettings {
                deadline_ms_max: usual.schedule.deadline_ms_max.max(2 * period_ms),
                ..usual.schedule
            },
            ..Settings::default()
        };
        let admission = AdmissionSettings { tenant_streams_max: rows, ..AdmissionSettings::default() };
        let steps = StepLoop::start("engine room", settings, &Device::new(admission), factory, preparation)
            .expect("threads");
        assert_eq!(steps.wait_until_ready(PATIENCE), Health::Ready);
        Self { steps, bins, frames }
    }

    fn open(&self) -> Result<Caller, Refusal> {
        let (sender, events) = sync_channel(10_000);
        let listener = Box::new(move |event| drop(sender.try_send((event, Instant::now()))));
        let stream = self.steps.open(Tenant(0), 1, listener)?;
        Ok(Caller { stream, events, pushed: Vec::new() })
    }
}

/// A chunk of noise.
fn chunk(bins: usize, frames: usize, begins: bool) -> Chunk {
    let features = 8 * frames - if begins { 7 } else { 0 };
    let value = |at: usize| -8.0 + (at as f32 * 0.37).sin() * 4.0;
    Chunk { features: (0..features * bins).map(value).collect(), lookahead: frames - 1, begins }
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
