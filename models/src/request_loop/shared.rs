//! What a loop's threads, its watchdog and its handle share.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{Anew, Answer, Keep, metrics};
use crate::batching::{Crew, Declined, RequestSettings, Requests};
use crate::{Error, clock};

pub(super) struct Shared<W, A> {
    pub(super) engine: &'static str,
    pub(super) settings: RequestSettings,
    pub(super) anew: Anew<W, A>,
    pub(super) keep: Option<Keep<W, A>>,
    pub(super) started: Instant,
    pub(super) state: Mutex<State<W, A>>,
    /// There may be a pass to make, or the loop is closed.
    pub(super) work: Condvar,
    /// The crew changed, or the loop is closed.
    pub(super) changed: Condvar,
}

pub(super) struct State<W, A> {
    pub(super) requests: Requests<W, Answer<A>>,
    pub(super) crew: Crew,
    pub(super) closed: bool,
}

impl<W, A> Shared<W, A> {
    /// The time since the loop started.
    pub(super) fn now(&self) -> Duration {
        clock::now().saturating_duration_since(self.started)
    }

    pub(super) fn failed(&self, why: impl Into<String>) -> Error {
        Error::Failed { engine: self.engine, why: why.into() }
    }
}

impl<W: Ord, A> Shared<W, A> {
    pub(super) fn full(&self) -> Error {
        Error::Full { engine: self.engine, limit: self.settings.unanswered_max }
    }

    pub(super) fn refused(&self, declined: Declined) -> Error {
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
