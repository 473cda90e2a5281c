//! What the loop's thread, its watchdog and its streams share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::listener::Delivery;
use super::{Device, Event, Failure, Settings, metrics as measured};
use crate::batching::{Member, Pace, Schedule, Ticket};
use crate::clock;

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// The model is being built and warmed up for the first time.
    Starting,
    /// It takes streams.
    Ready,
    /// A step takes too long, or its streams wait too long; it takes no new ones.
    Behind,
    /// The model failed and is built again; streams wait.
    Rebuilding,
    /// The model can't be built, for this reason. It is tried again.
    Failed(String),
}

/// What happened since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Steps that succeeded.
    pub steps: u64,
    /// Steps that failed.
    pub failures: u64,
    /// Models built, the first included.
    pub builds: u64,
    /// Steps that took too long.
    pub stalls: u64,
    /// Outputs beyond their deadline.
    pub late: u64,
    /// Canaries of the running engine that came to an end.
    pub canaries: u64,
    /// Those of them that were wrong.
    pub canaries_failed: u64,
}

pub(super) struct Shared<I, O> {
    pub(super) name: &'static str,
    pub(super) settings: Settings,
    pub(super) device: Device,
    pub(super) member: Member,
    started: Instant,
    pub(super) state: Mutex<State<I, O>>,
    /// There may be a step to make, or the loop is closed.
    pub(super) work: Condvar,
    /// The health changed.
    pub(super) changed: Condvar,
}

pub(super) struct State<I, O> {
    pub(super) schedule: Schedule<I>,
    pub(super) pace: Pace,
    pub(super) deliveries: HashMap<Ticket, Arc<Delivery<O>>>,
    pub(super) health: Health,
    pub(super) counts: Counts,
    /// When the step under way began.
    pub(super) stepping_since: Option<Duration>,
    /// Whether the step under way is counted as stalled.
    pub(super) stalled: bool,
    /// Whether the idle engine is to measure its steps again, and when it last did.
    pub(super) measure: bool,
    pub(super) measured_at: Duration,
    pub(super) closed: bool,
}

/// Events to be told once the lock is free.
pub(super) struct Told<O> {
    pub(super) delivery: Arc<Delivery<O>>,
    pub(super) generation: u64,
    pub(super) event: Event<O>,
}

impl<I: Clone, O> Shared<I, O> {
    pub(super) fn new(name: &'static str, settings: Settings, device: Device) -> Self {
        let periods = settings.periods();
        let member = device.add(settings.slots, &periods);
        let state = State {
            schedule: Schedule::new(settings.slots, settings.schedule.clone()),
            pace: Pace::new(&periods, settings.pace.clone()),
            deliveries: HashMap::new(),
            health: Health::Starting,
            counts: Counts::default(),
            stepping_since: None,
            stalled: false,
            measure: false,
            measured_at: Duration::ZERO,
            closed: false,
        };
        Self {
            name,
            settings,
            device,
            member,
            started: clock::now(),
            state: Mutex::new(state),
            work: Condvar::new(),
            changed: Condvar::new(),
        }
    }

    /// The time since the loop started.
    pub(super) fn now(&self) -> Duration {
        clock::now().saturating_duration_since(self.started)
    }

    /// Sets how the engine is, and whether it takes streams.
    pub(super) fn set_health(&self, state: &mut State<I, O>, health: Health) {
        if state.health != health {
            self.device.set_ready(self.member, health == Health::Ready);
            say(self.name, &state.health, &health);
            state.health = health;
            self.changed.notify_all();
        }
    }

    /// Ends all streams; the events are still to be told.
    pub(super) fn end_all(&self, state: &mut State<I, O>, failure: &Failure) -> Vec<Told<O>> {
        let ended = state.schedule.end_all();
        ended.into_iter().filter_map(|ticket| self.end(state, ticket, failure)).collect()
    }

    /// Forgets a stream that the schedule has ended.
    pub(super) fn end(&self, state: &mut State<I, O>, ticket: Ticket, failure: &Failure) -> Option<Told<O>> {
        let delivery = state.deliveries.remove(&ticket)?;
        measured::set_streams(self.name, state.schedule.streams());
        Some(Told { delivery, generation: ticket.generation, event: Event::Ended(failure.clone()) })
    }
}

/// For whoever reads the node's log.
fn say(engine: &'static str, before: &Health, health: &Health) {
    match health {
        Health::Starting => {}
        Health::Ready if *before == Health::Starting => {}
        Health::Ready => tracing::info!(engine, "an engine works again"),
        Health::Behind => tracing::warn!(engine, "an engine takes too long; it takes no new streams"),
        Health::Rebuilding => tracing::warn!(engine, "an engine failed and is made anew; its streams wait"),
        Health::Failed(why) => tracing::error!(engine, why, "an engine can't be made; it is tried again"),
    }
}

/// Tells events. No lock may be held: a listener may push.
pub(super) fn tell<O>(events: Vec<Told<O>>) {
    for told in events {
        told.delivery.tell(told.generation, told.event);
    }
}
