//! Watches a loop's threads from outside: a pass that hangs can't say so itself.

use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use super::{Pass, metrics, thread};
use crate::Error;
use crate::batching::{Look, Worker};

/// How often the threads are looked at, in parts of the time after which a pass counts as stalled.
const LOOKS_PER_STALL: u64 = 4;

/// Starts a thread with what makes its passes, or that makes it first.
pub(super) fn spawn<W, A>(
    shared: &Arc<Shared<W, A>>,
    worker: Worker,
    pass: Option<Pass<W, A>>,
) -> Result<(), Error>
where
    W: Ord + Send + Sync + 'static,
    A: Clone + Send + 'static,
{
    let driven = Arc::clone(shared);
    std::thread::Builder::new()
        .name(shared.engine.into())
        .spawn(move || thread::work(&driven, worker, pass))
        .map(drop)
        .map_err(|error| shared.failed(format!("no thread: {error}")))
}

/// Watches until the loop is closed.
pub(super) fn watch<W, A>(shared: &Arc<Shared<W, A>>)
where
    W: Ord + Send + Sync + 'static,
    A: Clone + Send + 'static,
{
    let every = Duration::from_millis((shared.settings.watchdog.stall_ms / LOOKS_PER_STALL).max(1));
    let mut was_ready = true;
    let mut state = shared.state.lock();
    while !state.closed {
        drop(state);
        let is_ready = look(shared);
        if is_ready != was_ready {
            was_ready = is_ready;
            say(shared.engine, is_ready);
        }
        state = shared.state.lock();
        if !state.closed {
            // Woken early by a change of the crew, it looks once more.
            shared.changed.wait_for(&mut state, every);
        }
    }
}

fn say(engine: &'static str, is_ready: bool) {
    if is_ready {
        tracing::info!(engine, "an engine that hung works again");
    } else {
        tracing::warn!(engine, "an engine takes too long; it is asked for nothing new");
    }
}

/// Gives up what hangs, tells who waits for it, and has it made anew; whether the loop takes requests.
fn look<W, A>(shared: &Arc<Shared<W, A>>) -> bool
where
    W: Ord + Send + Sync + 'static,
    A: Clone + Send + 'static,
{
    let (engine, now) = (shared.engine, shared.now());
    let mut state = shared.state.lock();
    let Look { stalls, given_up } = state.crew.look(now);
    let is_ready = state.crew.is_ready();
    let mut told = Vec::new();
    for lost in &given_up {
        told.extend(lost.pass.map(|pass| state.requests.abandon(pass)).unwrap_or_default());
    }
    if !given_up.is_empty() && !is_ready {
        told.extend(state.requests.end_waiting());
    }
    // Nobody else would tell them while no thread is free.
    let late = if is_ready { Vec::new() } else { state.requests.late(now) };
    let hired: Vec<Worker> = std::iter::from_fn(|| state.crew.hire(now)).collect();
    let hanging = state.crew.hanging();
    metrics::set_waiting(engine, state.requests.waiting());
    drop(state);
    metrics::count_stalls(engine, stalls);
    metrics::count_given_up(engine, given_up.len());
    metrics::set_health(engine, is_ready, hanging);
    for lost in &given_up {
        let after_ms = u64::try_from(lost.after.as_millis()).unwrap_or(u64::MAX);
        let told = told.len();
        tracing::error!(engine, after_ms, told, hanging, "an engine hangs; it is left alone and made anew");
    }
    if !given_up.is_empty()
        && !is_ready
        && hired.is_empty()
        && hanging >= shared.settings.watchdog.given_up_max
    {
        tracing::error!(
            engine,
            hanging,
            "an engine hung so often that it is not made anew; restart the node"
        );
    }
    for worker in hired {
        metrics::count_rebuild(engine);
        if let Err(error) = spawn(shared, worker, None) {
            tracing::error!(engine, %error, "an engine that hung is not made anew");
            shared.state.lock().crew.failed(worker, shared.now());
        }
    }
    metrics::count_late(engine, late.len());
    for answer in late {
        let why = "its deadline passed while the engine took too long".into();
        thread::tell(answer, Err(Error::Late { engine, why }));
    }
    let after_ms = given_up.iter().map(|lost| lost.after.as_millis()).max().unwrap_or_default();
    for answer in told {
        thread::tell(answer, Err(shared.failed(format!("it hangs: nothing came of it for {after_ms} ms"))));
    }
    is_ready
}
