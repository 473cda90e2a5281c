//! A thread of a request loop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::shared::Shared;
use super::{Answer, Pass, metrics};
use crate::batching::{Due, Taken, Worker};
use crate::{Error, clock};

/// Makes passes until the loop is dropped, or one of them was given up. Without `pass` it is made first.
pub(super) fn work<W: Ord, A: Clone>(shared: &Shared<W, A>, worker: Worker, pass: Option<Pass<W, A>>) {
    let Some(mut pass) = pass.or_else(|| make(shared, worker)) else { return };
    let engine = shared.engine;
    while let Some(Taken { late, pass: taken, .. }) = next(shared, worker) {
        metrics::count_late(engine, late.len());
        for answer in late {
            let why = "its deadline passed before its turn".into();
            tell(answer, Err(Error::Late { engine, why }));
        }
        let Some((number, works)) = taken else { continue };
        let started = clock::now();
        let mut made = catch_unwind(AssertUnwindSafe(|| pass(&works)))
            .unwrap_or_else(|_| vec![Err(shared.failed("it panicked")); works.len()]);
        made.resize_with(works.len(), || Err(shared.failed("it gave no answer")));
        if !shared.state.lock().crew.has(worker) {
            // It was given up: whoever waited has been told, and what came of it is nobody's.
            tracing::warn!(engine, "a pass that was given up came to an end; nobody is told");
            break;
        }
        metrics::record_pass(engine, works.len(), started.elapsed());
        keep(shared, &works, &made);
        let failures = made.iter().filter(|answer| answer.is_err()).count();
        if failures > 0 {
            crate::metrics::count_failure(engine);
        }
        let succeeded = failures < made.len();
        let answers = finish(shared, worker, number, succeeded);
        for (made, answers) in made.into_iter().zip(answers) {
            answers.into_iter().for_each(|answer| tell(answer, made.clone()));
        }
    }
    // What a model does when it goes is no reason to stop the process.
    drop(catch_unwind(AssertUnwindSafe(|| drop(pass))));
    shared.state.lock().crew.end(worker);
    shared.changed.notify_all();
}

/// Who is to be told what a pass came to. The pass is over before they are, so that none of them finds the engine still
/// at it; telling them is watched by itself.
fn finish<W: Ord, A>(
    shared: &Shared<W, A>,
    worker: Worker,
    pass: u64,
    succeeded: bool,
) -> Vec<Vec<Answer<A>>> {
    let mut state = shared.state.lock();
    let (was_ready, now) = (state.crew.is_ready(), shared.now());
    let answers = state.requests.finish(pass, succeeded, now);
    state.crew.begin(worker, None, 1, now);
    if !was_ready {
        shared.changed.notify_all();
    }
    answers
}

fn keep<W, A>(shared: &Shared<W, A>, works: &[Arc<W>], made: &[Result<A, Error>]) {
    let Some(keep) = &shared.keep else { return };
    for (work, made) in works.iter().zip(made) {
        if let Ok(made) = made {
            drop(catch_unwind(AssertUnwindSafe(|| keep(work, made))));
        }
    }
}

/// Makes what makes passes; none where that failed, or took so long that it was given up.
fn make<W, A>(shared: &Shared<W, A>, worker: Worker) -> Option<Pass<W, A>> {
    let made = catch_unwind(AssertUnwindSafe(|| (shared.anew)()))
        .unwrap_or_else(|_| Err(shared.failed("making it anew panicked")));
    let mut state = shared.state.lock();
    let pass = match made {
        Ok(pass) => state.crew.made(worker).then_some(pass),
        Err(error) => {
            state.crew.failed(worker, shared.now());
            tracing::error!(engine = shared.engine, %error, "an engine that hung can't be made anew yet");
            None
        }
    };
    drop(state);
    shared.changed.notify_all();
    pass
}

/// Whoever listens may panic; the others are still to be told.
pub(super) fn tell<A>(answer: Answer<A>, made: Result<A, Error>) {
    drop(catch_unwind(AssertUnwindSafe(|| answer(made))));
}

/// What is to be done next; none when the loop is gone, or this thread was given up.
fn next<W: Ord, A>(shared: &Shared<W, A>, worker: Worker) -> Option<Taken<W, Answer<A>>> {
    let mut state = shared.state.lock();
    let was_ready = state.crew.is_ready();
    if !state.crew.end(worker) {
        return None;
    }
    if !was_ready {
        shared.changed.notify_all();
    }
    while !state.closed {
        match state.requests.due(shared.now()) {
            Due::Now => {
                let now = shared.now();
                let taken = state.requests.take(now);
                metrics::set_waiting(shared.engine, state.requests.waiting());
                let pass = taken.pass.as_ref().map(|(number, _)| *number);
                let turns = pass.map_or(1, |pass| state.requests.turns(pass));
                state.crew.begin(worker, pass, turns, now);
                return Some(taken);
            }
            Due::At(at) => drop(shared.work.wait_until(&mut state, shared.started + at)),
            Due::Nothing => shared.work.wait(&mut state),
        }
    }
    None
}
