//! The shard's task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep_until;

use super::super::{metrics, udp};
use super::Control;
use super::state::{Due, Shard};
use crate::sip::dialog::Input;
use crate::sip::wheel::TICK_MS;

/// Handled between two looks at the timers and the sockets.
const BATCH: usize = 64;

impl Shard {
    /// Serves until every handle on the shard is gone or the task is aborted.
    pub(in super::super) async fn run(mut self) {
        let mut due = Vec::new();
        loop {
            let tick = self.started + Duration::from_millis((self.now() / TICK_MS + 1) * TICK_MS);
            tokio::select! {
                biased;
                control = self.control.recv() => match control {
                    Some(control) => self.guarded(|shard| shard.on_control(control)),
                    None => return,
                },
                message = self.messages.recv() => match message {
                    Some(inbound) => self.guarded(|shard| shard.on_inbound(inbound)),
                    None => return,
                },
                () = sleep_until(tick), if !self.wheel.is_empty() => {}
            }
            for _ in 0..BATCH {
                if let Ok(control) = self.control.try_recv() {
                    self.guarded(|shard| shard.on_control(control));
                } else if let Ok(inbound) = self.messages.try_recv() {
                    self.guarded(|shard| shard.on_inbound(inbound));
                } else {
                    break;
                }
            }
            let now = self.now();
            self.wheel.advance(now, &mut due);
            for what in due.drain(..) {
                self.guarded(|shard| shard.on_due(what));
            }
            self.flush();
        }
    }

    /// Does one thing. One that panics is lost, and so may its call be; the shard and its other calls go on.
    fn guarded(&mut self, step: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| step(self))).is_err() {
            metrics::dropped("panic");
            tracing::error!("a sip shard panicked over one message and goes on");
        }
    }

    fn on_control(&mut self, control: Control) {
        match control {
            Control::Command { key, command } => self.on_command(key, command),
            Control::Media { key, event } => self.on_media(key, event),
            Control::Offered { key, outcome } => self.on_offered(key, outcome),
            Control::Dial(dial) => self.dial(*dial),
            Control::Register(register) => self.register(*register),
            Control::Located { trunk, targets } => self.on_located(trunk, targets),
            Control::Unregister => self.unregister(),
            Control::Closed(id) => self.on_closed(id),
            Control::Stop => self.hang_up_all(),
        }
    }

    fn on_due(&mut self, due: Due) {
        match due {
            Due::Server(id, timer) => self.on_server_timer(id, timer),
            Due::Client(id, timer) => self.on_client_timer(id, timer),
            Due::Dialog(key) => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.scheduled = None;
                }
                self.tell_dialog(key, Input::Tick);
            }
            Due::Registration(trunk) => self.on_registration_due(trunk),
            Due::KeepAlive(trunk) => self.on_keep_alive(trunk),
            Due::NextServer(id) => self.on_next_server(id),
            Due::Settled(call_id) => self.shared.connecting.inboxes.settle(&call_id),
            Due::MediaClosing(key) => {
                self.conclude(key, None);
                self.forget_if_over(key);
            }
        }
    }

    fn hang_up_all(&mut self) {
        let keys: Vec<u64> = self.calls.keys().copied().collect();
        for key in keys {
            if let Some(call) = self.calls.get_mut(&key) {
                call.cause.get_or_insert(actors::types::EndReason::NodeStopped);
            }
            self.hang_up(key);
        }
    }

    /// Sends what has gathered and shows the counts.
    fn flush(&mut self) {
        if !self.outbox.is_empty() {
            match &self.shared.transports.udp {
                Some(socket) => udp::send(socket, &mut self.outbox),
                None => self.outbox.clear(),
            }
        }
        if let Some(gauges) = self.shared.gauges.get(self.index) {
            gauges.dialogs.store(self.calls.len(), Ordering::Release);
            gauges.servers.store(self.serving.len(), Ordering::Release);
            gauges.clients.store(self.asking.len(), Ordering::Release);
            gauges.timers.store(self.wheel.len(), Ordering::Release);
        }
    }
}
