//! A call's handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::call::leg::{Command, Gone, Leg};
use tokio::sync::mpsc;

use super::metrics;
use super::shard::Control;

/// The leg of one call. When the last handle is dropped the call is hung up: nobody is left to do it.
#[derive(Debug)]
pub(super) struct TrunkLeg {
    key: u64,
    shard: mpsc::Sender<Control>,
    alive: Arc<AtomicBool>,
}

impl TrunkLeg {
    pub(super) const fn new(key: u64, shard: mpsc::Sender<Control>, alive: Arc<AtomicBool>) -> Self {
        Self { key, shard, alive }
    }
}

impl Leg for TrunkLeg {
    fn command(&self, command: Command) -> Result<(), Gone> {
        if !self.alive.load(Ordering::Acquire) {
            return Err(Gone);
        }
        self.shard.try_send(Control::Command { key: self.key, command }).map_err(|_| {
            metrics::dropped("command_queue_full");
            Gone
        })
    }
}

impl Drop for TrunkLeg {
    fn drop(&mut self) {
        if self.alive.load(Ordering::Acquire) {
            // Where even this finds no room, the media timeout ends the call.
            let _ = self.shard.try_send(Control::Command { key: self.key, command: Command::HangUp });
        }
    }
}
