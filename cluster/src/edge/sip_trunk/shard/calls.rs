//! The end of a call, and its events.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actors::call::leg::Event;
use actors::types::{CallQuality, EndReason};

use super::state::{Due, Shard, Sink};
use crate::edge::media::Control as MediaControl;
use crate::sip::dialog::Ending;

/// Events that are kept for a call that nobody has taken yet.
const WAITING_MAX: usize = 64;

impl Shard {
    pub(super) fn deliver(&mut self, key: u64, event: Event) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.concluded {
            return;
        }
        match &mut call.sink {
            Sink::Open(events) => events(event),
            Sink::Waiting(waiting) if waiting.len() < WAITING_MAX => waiting.push(event),
            Sink::Waiting(_) | Sink::Closed => {}
        }
    }

    /// The dialog says that the call is over: its media ends, then its last event is told.
    pub(super) fn close(&mut self, key: u64, ending: Ending) {
        let patience = Duration::from_millis(self.shared.settings.media_close_ms);
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.ending = Some(ending);
        if call.concluded {
            return;
        }
        let closing =
            call.session.as_ref().is_some_and(|session| session.control(MediaControl::Close).is_ok());
        let after = if closing { patience } else { Duration::ZERO };
        self.set(after, Due::MediaClosing(key));
    }

    /// Tells the last events, once.
    pub(super) fn conclude(&mut self, key: u64, quality: Option<CallQuality>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.concluded {
            return;
        }
        let ending = call.ending.unwrap_or(Ending::Local);
        let reason = call.cause.filter(|_| ending == Ending::Local).unwrap_or_else(|| reason_of(ending));
        tracing::debug!(call_id = %call.id, reason = ?reason, "a sip call ended");
        self.deliver(key, Event::Quality(quality.unwrap_or_default()));
        self.deliver(key, Event::Ended(reason));
        if let Some(call) = self.calls.get_mut(&key) {
            call.concluded = true;
            call.alive.store(false, Ordering::Release);
            if matches!(call.sink, Sink::Open(_)) {
                call.sink = Sink::Closed;
            }
        }
    }

    /// Drops a call of which nothing is left to do.
    pub(super) fn forget_if_over(&mut self, key: u64) {
        let over = self
            .calls
            .get(&key)
            .is_some_and(|call| call.dialog.is_over() && call.concluded && !call.offering);
        if !over {
            return;
        }
        let Some(call) = self.calls.remove(&key) else { return };
        if let Some(origin) = call.origin {
            self.origins.remove(&origin);
        }
        self.part_with(&call.dialog, call.moved);
        self.abandon(key);
    }
}

const fn reason_of(ending: Ending) -> EndReason {
    match ending {
        Ending::Remote => EndReason::CallerHungUp,
        Ending::Local => EndReason::Completed,
        Ending::Cancelled => EndReason::Cancelled,
        Ending::Refused(_) => EndReason::Refused,
        Ending::Transferred => EndReason::Transferred,
        Ending::Timeout => EndReason::SignallingTimeout,
    }
}
