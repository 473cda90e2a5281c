//! The loop's own thread: it makes the model and drives it until the loop is closed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::canary::Canary;
use super::prepare::warm_up;
use super::shared::{Health, Shared, State, Told, tell};
use super::{Event, Failure, Model, Preparation, Row, metrics as measured};
use crate::batching::{Batch, Due, Outcome, rebuild_wait};
use crate::clock;

/// How serving came to its end.
enum End {
    Closed,
    /// The model is not to be used any more.
    Lost(Failure),
}

/// What the thread does next.
enum Work<I> {
    Step(Batch<I>),
    /// Measure the steps of a model without streams.
    Measure,
    /// A step of the canary.
    Sing,
    Close,
}

/// Works until the loop is closed.
pub(super) fn run<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    factory: &mut dyn FnMut() -> Result<M, Failure>,
    preparation: &mut Preparation<M::Input, M::Output>,
) where
    M::Input: Clone,
{
    let mut failures = 0;
    let mut first = true;
    loop {
        let failure = match super::prepare::prepare(shared, factory, preparation, first) {
            Ok(mut model) => {
                become_ready(shared, first);
                first = false;
                let end = serve(shared, &mut model, preparation, &mut failures);
                // What a model does when it goes is no reason to stop.
                drop(catch_unwind(AssertUnwindSafe(|| drop(model))));
                match end {
                    End::Closed => return,
                    End::Lost(failure) => failure,
                }
            }
            Err(failure) => {
                measured::count_failure(shared.name, &failure);
                failure
            }
        };
        failures += 1;
        if !wait_to_rebuild(shared, failure, failures) {
            return;
        }
        measured::count_rebuild(shared.name);
    }
}

fn become_ready<I: Clone, O>(shared: &Shared<I, O>, first: bool) {
    let mut state = shared.state.lock();
    state.counts.builds += 1;
    let now = shared.now();
    let mut told = Vec::new();
    if !first {
        told = reprime(&mut state, now);
    }
    shared.set_health(&mut state, Health::Ready);
    drop(state);
    tell(told);
}

/// Gives every stream's held inputs again, and says so.
fn reprime<I: Clone, O>(state: &mut State<I, O>, now: Duration) -> Vec<Told<O>> {
    let reprimed = state.schedule.start_again(now);
    let told = reprimed.into_iter().filter_map(|stream| {
        let delivery = state.deliveries.get(&stream.ticket)?.clone();
        let event = Event::Reprimed { forgotten: stream.forgotten };
        Some(Told { delivery, generation: stream.ticket.generation, event })
    });
    told.collect()
}

/// Says how the engine is and waits before it is built again; false where the loop was closed.
fn wait_to_rebuild<I: Clone, O>(shared: &Shared<I, O>, failure: Failure, failures: u32) -> bool {
    let settings = &shared.settings;
    let mut state = shared.state.lock();
    let mut told = Vec::new();
    if failures > settings.failures_max {
        told = shared.end_all(&mut state, &failure);
        shared.set_health(&mut state, Health::Failed(failure.to_string()));
    } else if state.counts.builds == 0 {
        shared.set_health(&mut state, Health::Failed(failure.to_string()));
    } else {
        shared.set_health(&mut state, Health::Rebuilding);
    }
    drop(state);
    tell(told);
    let until = clock::now() + rebuild_wait(failures, settings.rebuild_ms, settings.rebuild_ms_max);
    let mut state = shared.state.lock();
    while !state.closed {
        if shared.work.wait_until(&mut state, until).timed_out() {
            break;
        }
    }
    !state.closed
}

fn serve<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    model: &mut M,
    preparation: &mut Preparation<M::Input, M::Output>,
    failures: &mut u32,
) -> End
where
    M::Input: Clone,
{
    let mut canary = Canary::new(shared.settings.canary_ms, shared.now());
    loop {
        let served = match next(shared, &canary) {
            Work::Close => return End::Closed,
            Work::Step(batch) => {
                canary.wait();
                serve_step(shared, model, batch, failures)
            }
            Work::Measure => measure(shared, model, preparation),
            Work::Sing => sing(shared, model, preparation, &mut canary),
        };
        if let Err(failure) = served {
            return End::Lost(failure);
        }
    }
}

fn broken<T>(_: Box<dyn std::any::Any + Send>) -> Result<T, Failure> {
    Err(Failure::Failed { why: "the step panicked".into() })
}

/// One step; an error where the model is lost.
fn serve_step<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    model: &mut M,
    batch: Batch<M::Input>,
    failures: &mut u32,
) -> Result<(), Failure>
where
    M::Input: Clone,
{
    let (size, patience) = (batch.rows.len(), batch.patience);
    let started = clock::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| step(model, batch))).unwrap_or_else(broken);
    let took = started.elapsed();
    match outcome {
        Ok(outputs) => {
            *failures = 0;
            measured::record_step(shared.name, size, took);
            // A stall is an accident of its own, and no measure of what comes.
            if size > 0 && took < Duration::from_millis(shared.settings.stall_ms) {
                shared.device.record(shared.member, size, took);
                observe(shared, took, patience);
            }
            finish(shared, outputs);
            Ok(())
        }
        Err(failure) => {
            fail(shared, &failure, size);
            if matches!(failure, Failure::NotFinite { .. }) { Ok(()) } else { Err(failure) }
        }
    }
}

/// A busy engine asks its streams for longer pieces, one that has time again for shorter ones.
fn observe<I: Clone, O>(shared: &Shared<I, O>, took: Duration, patience: Option<Duration>) {
    let Some(period) = patience else { return };
    let mut state = shared.state.lock();
    if state.pace.observe(shared.now(), took, period) {
        let pace = state.pace.existing();
        shared.device.set_pace(shared.member, pace);
        measured::set_pace(shared.name, pace);
    }
}

/// A step of the canary; an error where the model is not what it was.
fn sing<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    model: &mut M,
    preparation: &mut Preparation<M::Input, M::Output>,
    canary: &mut Canary<M::Output>,
) -> Result<(), Failure>
where
    M::Input: Clone,
{
    let step = || canary.step(shared, model, preparation);
    let sung = catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(broken);
    if let Err(failure) = &sung {
        measured::count_failure(shared.name, failure);
    }
    let mut state = shared.state.lock();
    state.counts.failures += u64::from(sung.is_err());
    leave_step(shared, &mut state);
    sung
}

fn measure<M: Model>(
    shared: &Shared<M::Input, M::Output>,
    model: &mut M,
    preparation: &Preparation<M::Input, M::Output>,
) -> Result<(), Failure>
where
    M::Input: Clone,
{
    catch_unwind(AssertUnwindSafe(|| warm_up(shared, model, preparation))).unwrap_or_else(broken)?;
    shared.set_health(&mut shared.state.lock(), Health::Ready);
    Ok(())
}

/// What there is to do, when it is due.
fn next<I: Clone, O>(shared: &Shared<I, O>, canary: &Canary<O>) -> Work<I> {
    let mut state = shared.state.lock();
    loop {
        if state.closed {
            return Work::Close;
        }
        if std::mem::take(&mut state.measure) && state.schedule.streams() == 0 {
            shared.set_health(&mut state, Health::Starting);
            return Work::Measure;
        }
        let now = shared.now();
        let due = state.schedule.due(now);
        if due == Due::Now && !canary.goes_first(now) {
            state.stepping_since = Some(now);
            return Work::Step(state.schedule.batch());
        }
        if canary.due().is_some_and(|due| due <= now) {
            state.stepping_since = Some(now);
            return Work::Sing;
        }
        let at = if let Due::At(at) = due { Some(at) } else { None };
        match at.into_iter().chain(canary.due()).min() {
            Some(at) => {
                shared.work.wait_for(&mut state, at.saturating_sub(now));
            }
            None => shared.work.wait(&mut state),
        }
    }
}

fn step<M: Model>(model: &mut M, batch: Batch<M::Input>) -> Result<Vec<M::Output>, Failure> {
    for slot in batch.resets {
        model.reset(slot);
    }
    let rows: Vec<Row<M::Input>> = batch
        .rows
        .into_iter()
        .map(|planned| Row { slot: planned.ticket.slot, input: planned.input })
        .collect();
    let count = rows.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let outputs = model.step(rows)?;
    if outputs.len() == count {
        Ok(outputs)
    } else {
        Err(Failure::Failed { why: format!("the model gave {} outputs for {count} rows", outputs.len()) })
    }
}

fn finish<I: Clone, O>(shared: &Shared<I, O>, outputs: Vec<O>) {
    let mut told = Vec::with_capacity(outputs.len());
    let mut state = shared.state.lock();
    let now = shared.now();
    leave_step(shared, &mut state);
    state.counts.steps += 1;
    for ((ticket, outcome), output) in state.schedule.finish(now).into_iter().zip(outputs) {
        let Outcome::Deliver { waited, late } = outcome else { continue };
        measured::record_answer(shared.name, waited, late);
        state.counts.late += u64::from(late);
        if let Some(delivery) = state.deliveries.get(&ticket) {
            let event = Event::Output { output, late };
            told.push(Told { delivery: delivery.clone(), generation: ticket.generation, event });
        }
    }
    drop(state);
    tell(told);
}

fn fail<I: Clone, O>(shared: &Shared<I, O>, failure: &Failure, size: usize) {
    measured::count_failure(shared.name, failure);
    let mut state = shared.state.lock();
    let now = shared.now();
    leave_step(shared, &mut state);
    state.counts.failures += 1;
    let culprits: &[usize] = if let Failure::NotFinite { slots } = failure { slots } else { &[] };
    if matches!(failure, Failure::OutOfMemory { .. }) {
        let smaller = state.schedule.buckets().below(size);
        state.schedule.limit_rows(smaller);
        shared.device.limit(shared.member, state.schedule.rows_max());
    }
    let came_to = state.schedule.fail(culprits, now);
    let mut told: Vec<Told<O>> = Vec::new();
    for ticket in came_to.ended {
        told.extend(shared.end(&mut state, ticket, failure));
    }
    // A model that stays has lost its state only now; one that is rebuilt says so when it is.
    if matches!(failure, Failure::NotFinite { .. }) {
        for stream in came_to.reprimed {
            if let Some(delivery) = state.deliveries.get(&stream.ticket) {
                let event = Event::Reprimed { forgotten: stream.forgotten };
                told.push(Told { delivery: delivery.clone(), generation: stream.ticket.generation, event });
            }
        }
    }
    drop(state);
    tell(told);
}

fn leave_step<I: Clone, O>(shared: &Shared<I, O>, state: &mut State<I, O>) {
    state.stepping_since = None;
    if std::mem::take(&mut state.stalled) {
        shared.set_health(state, Health::Ready);
    }
}
