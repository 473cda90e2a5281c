//! A call's handle on its media.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::{Control, Gone};

/// Commands on their way from a call to its thread.
#[derive(Debug)]
pub(super) struct Commands {
    queue: Mutex<VecDeque<Control>>,
    most: usize,
    /// Set with every command, so that the thread looks without taking the lock.
    waiting: AtomicBool,
    /// The call wants to end, or has let go of its handle.
    closing: AtomicBool,
    /// The session is over.
    gone: AtomicBool,
}

impl Commands {
    pub(super) fn new(most: usize) -> Self {
        Self {
            queue: Mutex::new(VecDeque::new()),
            most,
            waiting: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        }
    }

    fn give(&self, control: Control) -> Result<(), Gone> {
        if self.gone.load(Ordering::Acquire) || self.closing.load(Ordering::Acquire) {
            return Err(Gone);
        }
        if matches!(control, Control::Close) {
            self.closing.store(true, Ordering::Release);
            return Ok(());
        }
        let mut queue = self.queue.lock();
        if queue.len() >= self.most {
            return Err(Gone);
        }
        queue.push_back(control);
        self.waiting.store(true, Ordering::Release);
        Ok(())
    }

    /// The next command, if any; cheap where none waits.
    pub(super) fn next(&self) -> Option<Control> {
        if !self.waiting.load(Ordering::Acquire) {
            return None;
        }
        let mut queue = self.queue.lock();
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.store(false, Ordering::Release);
        }
        next
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Nothing will be carried out any more.
    pub(super) fn end(&self) {
        self.gone.store(true, Ordering::Release);
        self.queue.lock().clear();
    }
}

/// One call's media. Dropping it closes it.
#[derive(Debug)]
pub struct Session {
    pub(super) local: SocketAddr,
    pub(super) commands: Arc<Commands>,
}

impl Session {
    /// The address for our session description. Its address part is unspecified (`0.0.0.0`) where the
    /// settings name none; then it is for the caller to put the one that the far side can reach.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Tells the session something; carried out within 20 ms, in order.
    ///
    /// # Errors
    /// [`Gone`] when the session is over or can take no more.
    pub fn control(&self, control: Control) -> Result<(), Gone> {
        self.commands.give(control)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.commands.give(Control::Close);
    }
}
