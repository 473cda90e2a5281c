//! Who takes the calls, and keeps nothing of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actors::call::leg::{Command, Event, Events, Incoming, Leg, Reception, Refusal};
use actors::types::{CallId, Destination};
use parking_lot::Mutex;

/// Answered.
pub(crate) const ANSWERS: &str = "1000";
/// Rings for ever.
pub(crate) const RINGS: &str = "1001";
/// Answered, and hung up once it is up.
pub(crate) const HANGS_UP: &str = "1002";
/// Answered, and transferred once it is up.
pub(crate) const TRANSFERS: &str = "1003";
/// Nobody's.
pub(crate) const UNKNOWN: &str = "4040";

#[derive(Default)]
pub(crate) struct Desk {
    legs: Mutex<HashMap<CallId, Arc<dyn Leg>>>,
    offered: AtomicUsize,
    ended: AtomicUsize,
}

impl Desk {
    pub(crate) fn legs(&self) -> usize {
        self.legs.lock().len()
    }

    pub(crate) fn offered(&self) -> usize {
        self.offered.load(Ordering::Relaxed)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }

    fn on(&self, call: CallId, number: &str, event: &Event) {
        match event {
            Event::Ended(_) => {
                self.ended.fetch_add(1, Ordering::Relaxed);
                self.legs.lock().remove(&call);
            }
            Event::Established => {
                let leg = self.legs.lock().get(&call).cloned();
                let command = match number {
                    HANGS_UP => Command::HangUp,
                    TRANSFERS => Command::Transfer(Destination::Uri("sip:2000@127.0.0.1".to_owned())),
                    _ => return,
                };
                // A call may be over before it is known to be up.
                let _ = leg.map(|leg| leg.command(command));
            }
            _ => {}
        }
    }
}

/// The desk as the trunk knows it.
pub(crate) struct Known(pub(crate) Arc<Desk>);

#[async_trait::async_trait]
impl Reception for Known {
    async fn offer(&self, incoming: Incoming, leg: Arc<dyn Leg>) -> Result<Events, Refusal> {
        let number = incoming.called.as_str().to_owned();
        if number == UNKNOWN {
            return Err(Refusal::UnknownNumber);
        }
        self.0.offered.fetch_add(1, Ordering::Relaxed);
        self.0.legs.lock().insert(incoming.call, Arc::clone(&leg));
        if number != RINGS {
            let _ = leg.command(Command::Answer);
        }
        let (desk, call) = (Arc::clone(&self.0), incoming.call);
        Ok(Arc::new(move |event| desk.on(call, &number, &event)))
    }
}
