//! The handle of a request loop.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::shared::{Shared, State};
use super::{Answer, Asker, Workers, metrics, thread, watchdog};
use crate::batching::{Ask, Asking, Crew, RequestSettings, Requests};
use crate::{Error, clock};

/// One engine's requests. Dropping it stops its threads; what waits is then dropped unanswered.
pub struct RequestLoop<W: Ord, A> {
    shared: Arc<Shared<W, A>>,
}

/// Takes requests of a loop back that may be gone.
pub struct Canceller<W, A>(Weak<Shared<W, A>>);

impl<W: Ord + Send + Sync + 'static, A: Clone + Send + 'static> RequestLoop<W, A> {
    /// Starts a thread for each pass of `workers`, and one that watches them.
    ///
    /// # Errors
    /// [`Error::Failed`] where the machine gives no thread.
    pub fn start(
        engine: &'static str,
        settings: RequestSettings,
        workers: Workers<W, A>,
    ) -> Result<Self, Error> {
        let Workers { passes, anew, keep } = workers;
        let settings = RequestSettings { passes_max: passes.len().max(1), ..settings };
        let crew = Crew::new(passes.len(), settings.watchdog);
        let state = State { requests: Requests::new(settings), crew, closed: false };
        let shared = Arc::new(Shared {
            engine,
            settings,
            anew,
            keep,
            started: clock::now(),
            state: Mutex::new(state),
            work: Condvar::new(),
            changed: Condvar::new(),
        });
        let this = Self { shared: Arc::clone(&shared) };
        for pass in passes {
            let worker = shared.state.lock().crew.hire(shared.now());
            let Some(worker) = worker.filter(|worker| shared.state.lock().crew.made(*worker)) else { break };
            watchdog::spawn(&shared, worker, Some(pass))?;
        }
        std::thread::Builder::new()
            .name(format!("watch-{engine}"))
            .spawn(move || watchdog::watch(&shared))
            .map_err(|error| Error::Failed { engine, why: format!("no thread: {error}") })?;
        Ok(this)
    }

    /// Takes in all of `works`, or none. Each is answered once, unless it is cancelled or the loop ends.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Late`], and [`Error::Failed`] while the engine hangs or is made anew; nobody is
    /// called then.
    pub fn ask(&self, asker: Asker, works: Vec<(W, Answer<A>)>) -> Result<Vec<Ask>, Error> {
        let shared = &self.shared;
        let now = shared.now();
        let Asker { tenant, within, cost } = asker;
        let asking = Asking { tenant, deadline: now + within, cost, rest: 0 };
        let mut state = shared.state.lock();
        if !state.crew.is_ready() {
            drop(state);
            metrics::count_refused(shared.engine, "hangs", works.len());
            return Err(shared.failed("it hangs, or is being made anew"));
        }
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
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.shared.state.lock().requests.unanswered()
    }

    /// Whether it takes requests: a thread is there that does not hang.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.state.lock().crew.is_ready()
    }

    /// What keeps it from taking requests, besides being full; none where it is well.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let crew = &self.shared.state.lock().crew;
        let hanging = crew.hanging();
        (!crew.is_ready()).then(|| {
            format!(
                "{} hangs, or is being made anew; {hanging} of its threads were left alone",
                self.shared.engine
            )
        })
    }

    /// Waits until it takes requests, at most `patience`, and says whether it does.
    #[must_use]
    pub fn wait_until_ready(&self, patience: Duration) -> bool {
        let until = clock::now() + patience;
        let mut state = self.shared.state.lock();
        while !state.crew.is_ready() {
            if self.shared.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.crew.is_ready()
    }

    /// Threads that hang and were left alone.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.shared.state.lock().crew.hanging()
    }

    /// Requests that are not in hand.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.shared.state.lock().requests.waiting()
    }

    /// To take requests back.
    #[must_use]
    pub fn canceller(&self) -> Canceller<W, A> {
        Canceller(Arc::downgrade(&self.shared))
    }
}

impl<W: Ord, A> Canceller<W, A> {
    /// Nobody is told of this request any more, unless that is just happening.
    pub fn cancel(&self, ask: Ask) {
        let Some(shared) = self.0.upgrade() else { return };
        let mut state = shared.state.lock();
        let cancelled = state.requests.cancel(ask);
        metrics::set_waiting(shared.engine, state.requests.waiting());
        drop(state);
        // Whatever it holds may come back to this loop.
        drop(cancelled);
    }
}

impl<W: Ord, A> Drop for RequestLoop<W, A> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        // A thread that hangs would keep them for as long as it does.
        let waiting = state.requests.end_waiting();
        drop(state);
        self.shared.work.notify_all();
        self.shared.changed.notify_all();
        drop(waiting);
    }
}
