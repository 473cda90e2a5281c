//! One stream, held by whoever feeds it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::listener::Delivery;
use super::shared::Shared;
use super::{HeldGrant, metrics as measured};
use crate::batching::{Joined, Ticket};

/// An input that was not taken, given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused<I> {
    /// As many inputs wait as may; the engine is behind.
    Full(I),
    /// The stream is over, or its engine is gone.
    Over(I),
}

/// An open stream. Dropping it ends it; no event follows.
pub struct Stream<I: Clone, O> {
    pub(super) ticket: Mutex<Ticket>,
    pub(super) joined: Joined,
    pub(super) delivery: Arc<Delivery<O>>,
    pub(super) shared: Weak<Shared<I, O>>,
    /// Given back when the stream is dropped.
    pub(super) _grant: Arc<HeldGrant>,
}

impl<I: Clone, O> Stream<I, O> {
    /// Queues an input whose output is wanted within `within`. Where the schedule's settings say so the oldest
    /// waiting input makes room, and is given back.
    ///
    /// # Errors
    /// [`Refused`], with the input.
    pub fn push(&self, input: I, within: Duration) -> Result<Option<I>, Refused<I>> {
        let Some(shared) = self.shared.upgrade() else { return Err(Refused::Over(input)) };
        let ticket = self.ticket.lock();
        let mut state = shared.state.lock();
        if !state.schedule.has(*ticket) {
            return Err(Refused::Over(input));
        }
        let now = shared.now();
        let pushed = state.schedule.push(*ticket, input, now, now + within);
        drop(state);
        shared.work.notify_one();
        if !matches!(pushed, Ok(None)) {
            measured::count_overflow(shared.name);
        }
        pushed.map_err(Refused::Full)
    }

    /// Forgets what waits and what is under way, and starts the stream's state anew. When this has returned, no
    /// output of an input pushed before follows.
    pub fn cancel(&self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut ticket = self.ticket.lock();
        let mut state = shared.state.lock();
        if let Some(renewed) = state.schedule.cancel(*ticket) {
            if let Some(delivery) = state.deliveries.remove(&*ticket) {
                state.deliveries.insert(renewed, delivery);
            }
            *ticket = renewed;
            drop(state);
            // A listener that pushes right now holds the delivery and wants the ticket.
            drop(ticket);
            self.delivery.turn_to(renewed.generation);
        }
    }

    /// How slow the engine asks the stream to be: 0, or the place in [`super::Settings::slower_ms`] plus 1.
    #[must_use]
    pub fn pace(&self) -> usize {
        self.shared.upgrade().map_or(0, |shared| shared.state.lock().pace.of(self.joined))
    }

    /// Inputs that wait for a step.
    #[must_use]
    pub fn backlog(&self) -> usize {
        let ticket = *self.ticket.lock();
        self.shared.upgrade().map_or(0, |shared| shared.state.lock().schedule.backlog(ticket))
    }
}

impl<I: Clone, O> Drop for Stream<I, O> {
    fn drop(&mut self) {
        self.delivery.close();
        if let Some(shared) = self.shared.upgrade() {
            let ticket = *self.ticket.lock();
            let mut state = shared.state.lock();
            state.schedule.leave(ticket);
            state.deliveries.remove(&ticket);
            measured::set_streams(shared.name, state.schedule.streams());
        }
    }
}
