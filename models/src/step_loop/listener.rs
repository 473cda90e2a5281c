//! The last step of a stream's event: told only to the stream that it is for.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parking_lot::ReentrantMutex;

use super::Failure;

/// What a stream is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<O> {
    /// What the model says of the stream's next input.
    Output {
        /// The model's words for it.
        output: O,
        /// Whether the input's deadline was missed.
        late: bool,
    },
    /// The model was made anew and the stream's held inputs are given to it again.
    Reprimed {
        /// Older inputs, of which the new model knows nothing.
        forgotten: u64,
    },
    /// The stream is over; nothing follows.
    Ended(Failure),
}

/// Where a stream's events go. Called on the engine's thread: send a message and return.
pub type Listener<O> = Box<dyn Fn(Event<O>) + Send + Sync>;

/// A listener that can be closed, or turned from the stream's past. Once [`Self::close`] or [`Self::turn_to`] has
/// returned, no event of before follows, whichever thread was about to tell one. Both may be called from inside
/// the listener itself.
pub(super) struct Delivery<O> {
    listener: Listener<O>,
    /// The generation whose events are told; none once it is closed.
    current: ReentrantMutex<Cell<Option<u64>>>,
}

impl<O> Delivery<O> {
    pub(super) fn new(generation: u64, listener: Listener<O>) -> Self {
        Self { listener, current: ReentrantMutex::new(Cell::new(Some(generation))) }
    }

    /// Tells `event` if it is of the current generation. A listener that panics is told nothing more.
    pub(super) fn tell(&self, generation: u64, event: Event<O>) {
        let current = self.current.lock();
        if current.get() != Some(generation) {
            return;
        }
        if matches!(event, Event::Ended(_)) {
            current.set(None);
        }
        if catch_unwind(AssertUnwindSafe(|| (self.listener)(event))).is_err() {
            current.set(None);
        }
    }

    pub(super) fn turn_to(&self, generation: u64) {
        let current = self.current.lock();
        if let Some(before) = current.get() {
            current.set(Some(before.max(generation)));
        }
    }

    pub(super) fn close(&self) {
        self.current.lock().set(None);
    }
}
