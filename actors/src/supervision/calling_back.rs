//! Makes a call back: its places, its leg, and an actor that has the call like any other.

use std::sync::Arc;

use parking_lot::Mutex;

use super::engines;
use super::reception::Receptionist;
use crate::call::leg::{Event, Events, Incoming, Outgoing, Refusal};
use crate::call::screening::Then;
use crate::call::{Case, Places, call_back};
use crate::clock::ms;
use crate::types::{Arrived, Attestation, Business, CallId, CallRecord, Destination, Route};

/// Events of a leg that are kept until there is an actor for them.
const WAITING_MAX: usize = 64;

/// Why a call back was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotMade {
    /// The business may not call there, or not now.
    #[error("it is not allowed, or too much was called already; see calls.call.outgoing")]
    Denied,
    /// There is no room, or nobody to make it.
    #[error("it could not be made: {0}")]
    NoRoom(String),
}

/// Where a leg's events go before there is an actor.
#[derive(Default)]
struct Early {
    waiting: Vec<Event>,
    events: Option<Events>,
}

impl Receptionist {
    /// Whether there is anybody to make calls, and the node makes any.
    pub(super) fn makes_calls(&self) -> bool {
        !self.is_closed() && self.services.outgoing.exchange.get().is_some()
    }

    /// Calls the caller of this call, which is over.
    pub(super) async fn call_back(&self, missed: &CallRecord, business: Business) -> Result<(), NotMade> {
        let no_room = |why: &str| NotMade::NoRoom(why.to_owned());
        let began = self.services.clock.monotonic();
        let refused = |refusal: Refusal| NotMade::NoRoom(refusal.to_string());
        if self.is_closed() {
            return Err(no_room("the node is stopping"));
        }
        let caller = missed.caller.clone().ok_or_else(|| no_room("the caller showed no number"))?;
        let exchange = self.services.outgoing.exchange.get().cloned();
        let exchange = exchange.ok_or_else(|| no_room("there is no trunk"))?;
        let node_slot =
            self.calls.take(self.settings.calls_max).ok_or_else(|| no_room("the node is full"))?;
        let calls = self.branches.calls().ok_or_else(|| no_room("the node is stopping"))?;
        let now = self.services.clock.now();
        let call = CallId::new(self.services.chance.id(now));
        let (called, attestation) = (missed.called.clone(), Attestation::Absent);
        let incoming = Incoming { call, called, caller: Some(caller.clone()), attestation, at: now };
        let tenant = self.running(&incoming, business).await.map_err(refused)?;
        let snapshot = tenant.live.snapshot();
        let business = Arc::clone(snapshot.for_calls_to(&missed.called));
        let (slot, shared) = self
            .place(&incoming, &tenant, &business)
            .await
            .map_err(|limit| refused(Refusal::TenantFull { limit }))?;
        let heard = engines::keep(&self.services, &business, ms(self.settings.engines_ms)).await;
        let heard = heard.map_err(|why| no_room(&why.to_string()))?;
        let to = Destination::Number(caller.into_inner());
        let counted = self.services.count(call, &business.id, &to).ok_or(NotMade::Denied)?;
        let early = Arc::new(Mutex::new(Early::default()));
        let outgoing = Outgoing { to, from: Some(missed.called.clone().into()) };
        let leg = exchange.call(outgoing, sink(&early)).await.map_err(|why| no_room(&why.to_string()))?;
        let places = Places::new(vec![node_slot, slot], shared, heard).calling(counted);
        let journal = self.journal(&incoming);
        let case = Arc::new(Case::new(&incoming, tenant.live, business, leg, places, journal, began));
        let line = missed.arrived.as_ref().and_then(|arrived| arrived.line.clone());
        case.note(|record, _| {
            let calls_back = Some(missed.id);
            let arrived = Arrived { line, calls_back, route: Route::CalledBack, ..Arrived::default() };
            record.arrived = Some(arrived);
        });
        // Before anything else happens: whoever finds it later must not take it for one that was missed.
        case.write_record();
        let then = Then::CallBack { cut_off: call_back::was_cut_off(missed) };
        let events = self.start(case, Arc::clone(&snapshot.phrases), then, &calls).await.map_err(refused)?;
        // Under the lock, so that nothing that happens now overtakes them.
        let mut early = early.lock();
        early.waiting.drain(..).for_each(|event| events(event));
        early.events = Some(Arc::clone(&events));
        Ok(())
    }
}

fn sink(early: &Arc<Mutex<Early>>) -> Events {
    let early = Arc::clone(early);
    Arc::new(move |event| {
        let events = {
            let mut early = early.lock();
            match &early.events {
                Some(events) => Arc::clone(events),
                None => {
                    if early.waiting.len() < WAITING_MAX {
                        early.waiting.push(event);
                    }
                    return;
                }
            }
        };
        events(event);
    })
}
