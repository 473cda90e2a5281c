//! A call's handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::call::leg::{Command, Gone, Leg};
use tokio::sync::mpsc;

use super::told::Told;

/// The leg of one call. When the last handle is dropped the call is hung up: nobody is left to do it.
pub(super) struct CarrierLeg {
    call: mpsc::Sender<Told>,
    alive: Arc<AtomicBool>,
    rings_at_once: usize,
}

impl CarrierLeg {
    pub(super) const fn new(call: mpsc::Sender<Told>, alive: Arc<AtomicBool>, rings_at_once: usize) -> Self {
        Self { call, alive, rings_at_once }
    }
}

impl Leg for CarrierLeg {
    fn command(&self, command: Command) -> Result<(), Gone> {
        if !self.alive.load(Ordering::Acquire) {
            return Err(Gone);
        }
        self.call.try_send(Told::Command(command)).map_err(|_| Gone)
    }

    // A carrier waits for our answer for seconds only.
    fn rings(&self) -> bool {
        false
    }

    // The carrier calls people for as long as they ring, and asks again then.
    fn reaches(&self) -> Option<usize> {
        Some(self.rings_at_once)
    }
}

impl Drop for CarrierLeg {
    fn drop(&mut self) {
        if self.alive.load(Ordering::Acquire) {
            // Where even this finds no room, the stream's silence ends the call.
            let _ = self.call.try_send(Told::Command(Command::HangUp));
        }
    }
}
