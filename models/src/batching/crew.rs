//! The threads that make an engine's passes: which of them hangs, and when another takes its place.
//!
//! ```text
//! vacant ──► (the engine is made) ──► idle ◄──► at work ──► stalls ──► is given up, and comes back late or never
//!    ▲         │ failed, or took too long         ▲            │            │
//!    └─────────┴──────────────────────────────────┼────────────┼────────────┘
//!                                                 └────────────┘ it was only slow
//! ```
//! A thread can't be ended from outside, so one that hangs is left alone: it is no part of the crew any more, whatever
//! it still brings is nobody's, and how many there may be of that kind is bounded.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{WatchdogSettings, rebuild_wait};

/// A thread of an engine; its number is never another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker(u64);

/// A thread that is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp {
    /// The pass that it makes; none where it makes the engine anew.
    pub pass: Option<u64>,
    /// For how long it has been at it.
    pub after: Duration,
}

/// What is seen of a crew from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Passes that stall since the last look.
    pub stalls: usize,
    /// Threads that hang: whoever waits for their passes is to be told.
    pub given_up: Vec<GivenUp>,
}

/// What a thread does.
#[derive(Debug, Clone, Copy)]
struct Work {
    pass: Option<u64>,
    since: Duration,
    stalls_at: Duration,
    given_up_at: Duration,
    stalls: bool,
}

/// A place for one thread.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    worker: Option<Worker>,
    /// Whether its engine is made.
    is_made: bool,
    work: Option<Work>,
    /// Threads that hung or could not make the engine, since the last pass that came to an end.
    failures: u32,
    /// When a vacant place is taken again.
    again_at: Duration,
}

/// The threads of one engine.
#[derive(Debug)]
pub struct Crew {
    settings: WatchdogSettings,
    places: Vec<Place>,
    given_up: BTreeSet<Worker>,
    next: u64,
}

impl Crew {
    /// A crew with vacant places.
    #[must_use]
    pub fn new(places: usize, settings: WatchdogSettings) -> Self {
        Self { settings, places: vec![Place::default(); places], given_up: BTreeSet::new(), next: 0 }
    }

    /// A thread to be started, where a place is vacant and due. It is to make its engine first. None while as many
    /// hang as may.
    pub fn hire(&mut self, now: Duration) -> Option<Worker> {
        if self.given_up.len() >= self.settings.given_up_max.max(1) {
            return None;
        }
        let given_up_at = now + Duration::from_millis(self.settings.build_ms);
        let is_due = |place: &&mut Place| place.worker.is_none() && place.again_at <= now;
        let place = self.places.iter_mut().find(is_due)?;
        let worker = Worker(self.next);
        self.next += 1;
        place.worker = Some(worker);
        place.is_made = false;
        place.work =
            Some(Work { pass: None, since: now, stalls_at: Duration::MAX, given_up_at, stalls: false });
        Some(worker)
    }

    /// Its engine is made. False where it was given up meanwhile; it is then to end.
    pub fn made(&mut self, worker: Worker) -> bool {
        self.back(worker, |place| {
            place.is_made = true;
            place.work = None;
        })
    }

    /// Its engine can't be made, and it ends. False where it was given up meanwhile.
    pub fn failed(&mut self, worker: Worker, now: Duration) -> bool {
        let settings = self.settings;
        self.back(worker, |place| vacate(place, &settings, now))
    }

    /// It begins a pass; `turns` is what that costs, in a tenant's turns.
    pub fn begin(&mut self, worker: Worker, pass: Option<u64>, turns: u32, now: Duration) {
        let turns = turns.max(1);
        let after = |ms: u64| now + Duration::from_millis(ms.saturating_mul(u64::from(turns)));
        let WatchdogSettings { stall_ms, give_up_ms, .. } = self.settings;
        let (stalls_at, given_up_at) = (after(stall_ms), after(give_up_ms.max(stall_ms)));
        if let Some(place) = self.places.iter_mut().find(|place| place.worker == Some(worker)) {
            place.work = Some(Work { pass, since: now, stalls_at, given_up_at, stalls: false });
        }
    }

    /// It is done with whatever it had in hand. False where it was given up meanwhile; it is then to end.
    pub fn end(&mut self, worker: Worker) -> bool {
        self.back(worker, |place| {
            if place.work.take().is_some() {
                place.failures = 0;
            }
        })
    }

    /// Whether it was not given up.
    #[must_use]
    pub fn has(&self, worker: Worker) -> bool {
        self.places.iter().any(|place| place.worker == Some(worker))
    }

    /// Who stalls, and who is given up.
    pub fn look(&mut self, now: Duration) -> Look {
        let mut look = Look::default();
        for place in &mut self.places {
            let (Some(worker), Some(work)) = (place.worker, &mut place.work) else { continue };
            if work.stalls_at < now && !work.stalls {
                work.stalls = true;
                look.stalls += 1;
            }
            if work.given_up_at < now {
                look.given_up.push(GivenUp { pass: work.pass, after: now.saturating_sub(work.since) });
                self.given_up.insert(worker);
                vacate(place, &self.settings, now);
            }
        }
        look
    }

    /// Whether a thread would make a pass: its engine is made and it does not stall.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.places.iter().any(|place| place.is_made && place.work.is_none_or(|work| !work.stalls))
    }

    /// Threads that were given up and have not come back.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.given_up.len()
    }

    fn back(&mut self, worker: Worker, then: impl FnOnce(&mut Place)) -> bool {
        self.given_up.remove(&worker);
        let place = self.places.iter_mut().find(|place| place.worker == Some(worker));
        place.map(then).is_some()
    }
}

fn vacate(place: &mut Place, settings: &WatchdogSettings, now: Duration) {
    let failures = place.failures.saturating_add(1);
    let again_at = now + rebuild_wait(failures, settings.rebuild_ms, settings.rebuild_ms_max);
    *place = Place { failures, again_at, ..Place::default() };
}
