//! Runs models that are asked and answer once: threads that work out together what waits together, by the rules of
//! [`crate::batching`]. A pass that panics fails alone. One that hangs is given up: whoever waits is told, new requests
//! are refused, and the engine is made anew on another thread.
//!
//! Pauses, texts and whole utterances are such requests. A language model's turns would be queued by the same rules, as
//! requests that cost their tokens and take many passes ([`crate::batching::Requests::finish_some`]); there is none yet,
//! and this loop makes one pass for each.
//!
//! ```text
//! RequestLoop::start ─► threads: pass, pass, pass …     watchdog: looks at them from outside
//!      │                   ▲           │ hangs              │
//!      └ ask ──► Requests ─┘           └── given up ◄───────┤ tells who waits, refuses, makes it anew on
//!                                          (left alone)     └────────────────────► another thread
//! ```
//! - [`start`]: the handle: starts the loop, asks it.
//! - [`shared`]: what its threads share.
//! - [`thread`]: makes passes; [`watchdog`]: gives up those that hang.

pub mod metrics;
mod shared;
mod start;
#[cfg(test)]
mod tests;
mod thread;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use crate::Error;
use crate::batching::Tenant;

pub use start::{Canceller, RequestLoop};

/// Where an answer goes, once. Called on a thread of the loop.
pub type Answer<A> = Box<dyn FnOnce(Result<A, Error>) + Send>;

/// What makes the answers of a pass, one for each work and in their order.
pub type Pass<W, A> = Box<dyn FnMut(&[Arc<W>]) -> Vec<Result<A, Error>> + Send>;

/// Makes what makes passes anew, and tries it, on the thread that will make them.
pub type Anew<W, A> = Box<dyn Fn() -> Result<Pass<W, A>, Error> + Send + Sync>;

/// Keeps an answer for whoever asks the same later.
pub type Keep<W, A> = Box<dyn Fn(&W, &A) + Send + Sync>;

/// Who works out an engine's requests.
pub struct Workers<W, A> {
    /// One for each thread.
    pub passes: Vec<Pass<W, A>>,
    /// Makes another in the stead of one that hangs.
    pub anew: Anew<W, A>,
    /// Is given each answer of a pass that was not given up, before anybody is told.
    pub keep: Option<Keep<W, A>>,
}

/// Who asks, and for how long the answer is of use to them.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// Who shares the engine fairly with others.
    pub tenant: Tenant,
    /// If a request's turn comes later than this, it is told so instead.
    pub within: Duration,
    /// Of each request.
    pub cost: u32,
}
