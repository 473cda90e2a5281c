//! Runs models that are asked and answer once: threads that work out together what waits together, by the rules of
//! [`crate::batching`]. A pass that panics fails alone.
//!
//! Pauses, texts and whole utterances are such requests. A language model's turns would be as well, as requests that
//! cost their tokens, as far as who is taken in and who is next goes; there is none yet.

pub mod metrics;
#[cfg(test)]
mod tests;
mod thread;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::batching::{Ask, Asking, Declined, RequestSettings, Requests, Tenant};
use crate::{Error, clock};

/// Where an answer goes, once. Called on a thread of the loop.
pub(crate) type Answer<A> = Box<dyn FnOnce(Result<A, Error>) + Send>;

/// What makes the answers of a pass, one for each work and in their order.
pub(crate) type Pass<W, A> = Box<dyn FnMut(&[Arc<W>]) -> Vec<Result<A, Error>> + Send>;

/// Who asks, and for how long the answer is of use to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) tenant: Tenant,
    pub(crate) within: Duration,
    /// Of each request.
    pub(crate) cost: u32,
}

/// One engine's requests. Dropping it stops its threads; what waits is then dropped unanswered.
pub(crate) struct RequestLoop<W, A> {
    shared: Arc<Shared<W, A>>,
}

/// Takes requests of a loop back that may be gone.
pub(crate) struct Canceller<W, A>(Weak<Shared<W, A>>);

struct Shared<W, A> {
    engine: &'static str,
    started: Instant,
    state: Mutex<State<W, A>>,
    work: Condvar,
}

struct State<W, A> {
    requests: Requests<W, Answer<A>>,
    closed: bool,
}

impl<W: Ord + Send + Sync + 'static, A: Clone + Send + 'static> RequestLoop<W, A> {
    /// Starts a thread for each of `passes`.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no thread.
    pub(crate) fn start(
        engine: &'static str,
        settings: RequestSettings,
        passes: Vec<Pass<W, A>>,
    ) -> Result<Self, Error> {
        let settings = RequestSettings { passes_max: passes.len().max(1), ..settings };
        let state = State { requests: Requests::new(settings), closed: false };
        let shared = Shared { engine, started: clock::now(), state: Mutex::new(state), work: Condvar::new() };
        let this = Self { shared: Arc::new(shared) };
        for pass in passes {
            let shared = Arc::clone(&this.shared);
            std::thread::Builder::new()
                .name(engine.into())
                .spawn(move || thread::work(&shared, pass))
                .map_err(|error| Error::Failed { engine, why: format!("no thread: {error}") })?;
        }
        Ok(this)
    }

    /// Takes in all of `works`, or none. Each is answered once, unless it is cancelled or the loop ends.
    ///
    /// # Errors
    /// [`Error::Full`] and [`Error::Late`]; nobody is called then.
    pub(crate) fn ask(&self, asker: Asker, works: Vec<(W, Answer<A>)>) -> Result<Vec<Ask>, Error> {
        let shared = &self.shared;
        let now = shared.now();
        let Asker { tenant, within, cost } = asker;
        let asking = Asking { tenant, deadline: now + within, cost };
        let mut state = shared.state.lock();
        let granted = state.requests.ask(asking, works, now);
        metrics::set_waiting(shared.engine, state.requests.waiting());
        drop(state);
        let granted = granted.map_err(|declined| shared.refused(declined))?;
        shared.work.notify_all();
        metrics::count_refused(shared.engine, "displaced", granted.displaced.len());
        for answer in granted.displaced {
            thread::tell(answer, Err(shared.full()));
        }
        Ok(granted.asks)
    }

    /// Requests without an answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.shared.state.lock().requests.unanswered()
    }

    /// Requests that are not in hand.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.shared.state.lock().requests.waiting()
    }

    /// To take requests back.
    pub(crate) fn canceller(&self) -> Canceller<W, A> {
        Canceller(Arc::downgrade(&self.shared))
    }
}

impl<W: Ord, A> Canceller<W, A> {
    /// Nobody is told of this request any more, unless that is just happening.
    pub(crate) fn cancel(&self, ask: Ask) {
        let Some(shared) = self.0.upgrade() else { return };
        let mut state = shared.state.lock();
        let cancelled = state.requests.cancel(ask);
        metrics::set_waiting(shared.engine, state.requests.waiting());
        drop(state);
        // Whatever it holds may come back to this loop.
        drop(cancelled);
    }
}

impl<W, A> Shared<W, A> {
    fn now(&self) -> Duration {
        clock::now().saturating_duration_since(self.started)
    }
}

impl<W: Ord, A> Shared<W, A> {
    fn full(&self) -> Error {
        Error::Full { engine: self.engine, limit: self.state.lock().requests.limit() }
    }

    fn refused(&self, declined: Declined) -> Error {
        let engine = self.engine;
        match declined {
            Declined::Full { limit } => {
                metrics::count_refused(engine, "full", 1);
                Error::Full { engine, limit }
            }
            Declined::Late { .. } => {
                metrics::count_refused(engine, "late", 1);
                Error::Late { engine, why: declined.to_string() }
            }
        }
    }
}

impl<W, A> Drop for RequestLoop<W, A> {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.work.notify_all();
    }
}
