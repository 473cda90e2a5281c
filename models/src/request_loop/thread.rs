//! A thread of a request loop.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Answer, Pass, Shared, metrics};
use crate::batching::{Due, Taken};
use crate::{Error, clock};

/// Makes passes until the loop is dropped.
pub(super) fn work<W: Ord, A: Clone>(shared: &Shared<W, A>, mut pass: Pass<W, A>) {
    let engine = shared.engine;
    let failed = |why: &str| Error::Failed { engine, why: why.into() };
    while let Some(Taken { late, pass: taken }) = next(shared) {
        metrics::count_late(engine, late.len());
        for answer in late {
            let why = "its deadline passed before its turn".into();
            tell(answer, Err(Error::Late { engine, why }));
        }
        let Some((number, works)) = taken else { continue };
        let started = clock::now();
        let mut made = catch_unwind(AssertUnwindSafe(|| pass(&works)))
            .unwrap_or_else(|_| vec![Err(failed("it panicked")); works.len()]);
        made.resize_with(works.len(), || Err(failed("it gave no answer")));
        metrics::record_pass(engine, works.len(), started.elapsed());
        let failures = made.iter().filter(|answer| answer.is_err()).count();
        if failures > 0 {
            crate::metrics::count_failure(engine);
        }
        let succeeded = failures < made.len();
        let answers = shared.state.lock().requests.finish(number, succeeded, shared.now());
        for (made, answers) in made.into_iter().zip(answers) {
            answers.into_iter().for_each(|answer| tell(answer, made.clone()));
        }
    }
}

/// Whoever listens may panic; the others are still to be told.
pub(super) fn tell<A>(answer: Answer<A>, made: Result<A, Error>) {
    drop(catch_unwind(AssertUnwindSafe(|| answer(made))));
}

/// What is to be done next; none when the loop is gone.
fn next<W: Ord, A>(shared: &Shared<W, A>) -> Option<Taken<W, Answer<A>>> {
    let mut state = shared.state.lock();
    while !state.closed {
        match state.requests.due(shared.now()) {
            Due::Now => {
                let taken = state.requests.take(shared.now());
                metrics::set_waiting(shared.engine, state.requests.waiting());
                return Some(taken);
            }
            Due::At(at) => drop(shared.work.wait_until(&mut state, shared.started + at)),
            Due::Nothing => shared.work.wait(&mut state),
        }
    }
    None
}
