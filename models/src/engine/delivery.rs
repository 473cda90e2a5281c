//! The last step of a session's event: told only while the session is open.

use std::cell::Cell;

use parking_lot::ReentrantMutex;

use super::{Listener, RecogniserEvent};

/// A listener that can be closed. Once [`Self::close`] has returned no event follows, whichever thread was about
/// to tell one; closing from inside the listener itself is allowed.
pub(crate) struct Delivery {
    listener: Listener,
    open: ReentrantMutex<Cell<bool>>,
}

impl Delivery {
    pub(crate) fn new(listener: Listener) -> Self {
        Self { listener, open: ReentrantMutex::new(Cell::new(true)) }
    }

    /// Tells `event`, unless the session is closed. A failure is the last event.
    pub(crate) fn tell(&self, event: RecogniserEvent) {
        let open = self.open.lock();
        if open.get() {
            if matches!(event, RecogniserEvent::Failed(_)) {
                open.set(false);
            }
            (self.listener)(event);
        }
    }

    pub(crate) fn close(&self) {
        self.open.lock().set(false);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.lock().get()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::Error;
    use crate::engine::Heard;

    #[test]
    fn nothing_follows_a_failure_or_the_close() {
        let (sender, receiver) = sync_channel(10);
        let delivery = Delivery::new(Box::new(move |event| drop(sender.send(event))));
        delivery.tell(RecogniserEvent::Final { turn: 0, heard: Heard::default() });
        delivery.tell(RecogniserEvent::Failed(Error::Failed { engine: "test", why: "told to".into() }));
        delivery.tell(RecogniserEvent::Final { turn: 1, heard: Heard::default() });
        assert_eq!(receiver.try_iter().count(), 2);
        assert!(!delivery.is_open());
    }
}
