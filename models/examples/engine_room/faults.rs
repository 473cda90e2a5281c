//! Faults of the engine with streams on it: who was heard goes on being heard, and hears nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use models::batching::{AdmissionSettings, Tenant};
use models::speech_to_text::FastConformer;
use models::speech_to_text::model::{Chunk, Decoded};
use models::step_loop::{
    Device, Event, Failure, Health, Model, Precision, Preparation, Processor, Row, Settings, StepLoop, Stream,
};

use crate::report::Report;
use crate::tiny::{chunks, model};

pub(crate) const STREAMS: usize = 8;
/// How long a step may take.
const STALL_MS: u64 = 5_000;
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The tiny model, which fails when it is told to.
struct Fragile {
    model: FastConformer,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    panics: AtomicBool,
    out_of_memory: AtomicBool,
    stands_still: AtomicBool,
}

impl Model for Fragile {
    type Input = Chunk;
    type Output = Decoded;

    fn slots(&self) -> usize {
        self.model.slots()
    }

    fn reset(&mut self, slot: usize) {
        self.model.reset(slot);
    }

    fn step(&mut self, rows: Vec<Row<Chunk>>) -> Result<Vec<Decoded>, Failure> {
        assert!(!self.told.panics.swap(false, Ordering::SeqCst), "told to panic");
        while self.told.stands_still.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if rows.len() > STREAMS / 2 && self.told.out_of_memory.load(Ordering::SeqCst) {
            return Err(Failure::OutOfMemory { why: format!("{} rows", rows.len()) });
        }
        self.model.step(rows)
    }
}

type Caller = (Stream<Chunk, Decoded>, Receiver<Event<Decoded>>);

fn engine(processor: Processor, told: &Arc<Told>, stall_ms: u64) -> StepLoop<Chunk, Decoded> {
    let told = Arc::clone(told);
    let factory = move || {
        let device = processor.open().map_err(|error| Failure::Failed { why: error.to_string() })?;
        let model = model(&device, Precision::F32, STREAMS + 1);
        Ok(Fragile { model, told: Arc::clone(&told) })
    };
    let warm_up = chunks(0, 1, 0);
    let preparation = Preparation { canary: warm_up.clone(), warm_up, judge: Box::new(|_| Ok(())) };
    let give_up_ms = 4 * stall_ms;
    let settings = Settings { slots: STREAMS, rebuild_ms: 1, stall_ms, give_up_ms, ..Settings::default() };
    let device = Device::new(AdmissionSettings { share_max: 1e6, ..AdmissionSettings::default() });
    let engine = StepLoop::start("engine room", settings, &device, factory, preparation).expect("threads");
    assert_eq!(engine.wait_until_ready(PATIENCE), Health::Ready);
    engine
}

fn open(engine: &StepLoop<Chunk, Decoded>) -> Caller {
    let (sender, events) = sync_channel(1_000);
    let stream =
        engine.open(Tenant(0), 1, Box::new(move |event| drop(sender.try_send(event)))).expect("room");
    (stream, events)
}

/// Each caller's sound, from another place than the others'.
pub(crate) fn sound(number: usize) -> Vec<Chunk> {
    chunks(number * 11, 160, 1)
}

/// The tokens of a caller's next answer; none where its stream ended.
fn answer((_, events): &Caller) -> Option<Vec<u32>> {
    loop {
        match events.recv_timeout(PATIENCE).expect("an answer") {
            Event::Output { output, .. } => {
                return Some(output.tokens.iter().map(|token| token.number).collect());
            }
            Event::Reprimed { .. } => {}
            Event::Ended(_) => return None,
        }
    }
}

/// What each caller's words are, with `then` at the fifth chunk; none of a stream that ended.
fn heard(
    engine: &StepLoop<Chunk, Decoded>,
    then: impl Fn(usize, usize, &mut Chunk),
) -> Vec<Option<Vec<u32>>> {
    let callers: Vec<Caller> = (0..STREAMS).map(|_| open(engine)).collect();
    let mut heard: Vec<Option<Vec<u32>>> = vec![Some(Vec::new()); STREAMS];
    for at in 0..sound(0).len() {
        for (number, (caller, heard)) in callers.iter().zip(&heard).enumerate() {
            if heard.is_some() {
                let mut chunk = sound(number).swap_remove(at);
                then(at, number, &mut chunk);
                assert!(caller.0.push(chunk, Duration::from_secs(1)).is_ok(), "a ring with room");
            }
        }
        for (caller, heard) in callers.iter().zip(&mut heard) {
            let said = heard.is_some().then(|| answer(caller)).flatten();
            *heard = heard.take().zip(said).map(|(mut all, said)| {
                all.extend(said);
                all
            });
        }
    }
    heard
}

pub(crate) fn check(processor: Processor, report: &mut Report) {
    let told = Arc::new(Told::default());
    let engine = engine(processor, &told, STALL_MS);
    let expected = heard(&engine, |_, _, _| {});
    let panicked = heard(&engine, |at, number, _| {
        if (at, number) == (5, 0) {
            told.panics.store(true, Ordering::SeqCst);
        }
    });
    let builds = engine.counts().builds;
    report.check(
        "fault: a step panics",
        panicked == expected && builds == 2,
        format!("built {builds} times; every stream's words as without"),
    );
    let memory = heard(&engine, |at, number, _| {
        if (at, number) == (5, 0) {
            told.out_of_memory.store(true, Ordering::SeqCst);
        }
    });
    report.check("fault: out of memory in large steps", memory == expected, "smaller steps; the same words");
    told.out_of_memory.store(false, Ordering::SeqCst);
    // Steps stay small from then on, so this engine has had its day.
    drop(engine);
    let engine = self::engine(processor, &told, STALL_MS);
    let broken = heard(&engine, |at, number, chunk| {
        if (at, number) == (5, 2)
            && let Some(feature) = chunk.features.first_mut()
        {
            *feature = f32::MAX;
        }
    });
    let others = broken
        .iter()
        .zip(&expected)
        .enumerate()
        .filter(|(number, (one, other))| *number != 2 && one != other);
    let differ = others.count();
    report.check(
        "fault: a stream's output is no number",
        broken[2].is_none() && differ == 0,
        format!("its stream ended: {}; {differ} of the others differ", broken[2].is_none()),
    );
    let callers: Vec<Caller> = (0..STREAMS).map(|_| open(&engine)).collect();
    let refused = engine.open(Tenant(0), 1, Box::new(|_| {})).is_err();
    report.check(
        "fault: one stream too many",
        refused,
        format!("{} open, the next refused: {refused}", callers.len()),
    );
    drop((callers, engine));
    // Seen to stand still soon; the others may be slow, on a machine that has much else to do.
    let engine = self::engine(processor, &told, STALL_MS / 25);
    stalled(&engine, &told, &expected, report);
}

/// The device stands still with callers on it: new ones are refused, those under way are told so that they are heard
/// elsewhere, and when it goes on everybody is heard as before.
fn stalled(
    engine: &StepLoop<Chunk, Decoded>,
    told: &Told,
    expected: &[Option<Vec<u32>>],
    report: &mut Report,
) {
    let callers: Vec<Caller> = (0..STREAMS / 2).map(|_| open(engine)).collect();
    told.stands_still.store(true, Ordering::SeqCst);
    for (number, (stream, _)) in callers.iter().enumerate() {
        let chunk = sound(number).swap_remove(0);
        assert!(stream.push(chunk, Duration::from_secs(1)).is_ok(), "a ring with room");
    }
    let ended = callers.iter().filter(|caller| answer(caller).is_none()).count();
    let refused = engine.open(Tenant(0), 1, Box::new(|_| {})).is_err();
    let stalls = engine.counts().stalls;
    told.stands_still.store(false, Ordering::SeqCst);
    drop(callers);
    let is_back = engine.wait_until_ready(PATIENCE) == Health::Ready;
    let words = is_back.then(|| heard(engine, |_, _, _| {}));
    report.check(
        "fault: the device stands still",
        refused && stalls == 1 && ended == STREAMS / 2 && words.as_deref() == Some(expected),
        format!(
            "the next caller refused: {refused}; {ended} of {} told; back: {is_back}, the same words",
            STREAMS / 2
        ),
    );
}
