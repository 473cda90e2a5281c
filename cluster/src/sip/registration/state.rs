//! The registration's state, and where each input goes.

use std::collections::{BTreeMap, VecDeque};

use super::super::dialog::RequestId;
use super::super::draws::Draws;
use super::super::proof::{Account, Prover};
use super::{Effect, Event, Failure, Input, Moment, Own, Place, Settings};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody has asked for anything.
    Idle,
    /// The servers are being looked up.
    Locating,
    /// A REGISTER is under way.
    Asking(Asked),
    /// Registered, until the refresh.
    Registered,
    /// Nothing is under way until the next attempt.
    Waiting,
    /// The binding is being removed.
    Leaving(Asked),
    /// Over.
    Left,
}

/// A REGISTER that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) id: RequestId,
    pub(super) place: Place,
    /// How often the interval was called too brief in a row.
    pub(super) too_brief: u32,
    /// Something came back.
    pub(super) heard: bool,
}

/// Why a timer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The registration is refreshed.
    Refresh,
    /// What was granted runs out.
    Expiry,
    /// The next attempt.
    Retry,
    /// The server that was asked has not answered.
    NextServer,
    /// The farewell took too long.
    Leave,
}

/// A registration. See the module's documentation.
#[derive(Debug)]
pub struct Registration {
    pub(super) settings: Settings,
    pub(super) own: Own,
    pub(super) prover: Prover,
    pub(super) draws: Draws,
    pub(super) phase: Phase,
    pub(super) expires_s: u32,
    pub(super) sequence: u32,
    pub(super) next: u32,
    /// Servers that this attempt has not tried.
    pub(super) places: VecDeque<Place>,
    /// Where the binding is, while there is one.
    pub(super) bound: Option<Place>,
    /// Attempts that failed in a row.
    pub(super) failures: u32,
    pub(super) timers: BTreeMap<Reason, Moment>,
    pub(super) effects: VecDeque<Effect>,
}

impl Registration {
    /// One that has not begun.
    #[must_use]
    pub fn new(settings: Settings, account: Account, own: Own) -> Self {
        Self {
            prover: Prover::new(account),
            draws: Draws::new(own.seed),
            phase: Phase::Idle,
            expires_s: settings.expires_s.max(1),
            sequence: 0,
            next: 0,
            places: VecDeque::new(),
            bound: None,
            failures: 0,
            timers: BTreeMap::new(),
            effects: VecDeque::new(),
            settings,
            own,
        }
    }

    /// Lets the registration know what happened; then [`Registration::drain`] says what to do about it.
    pub fn handle(&mut self, now: Moment, input: Input) {
        if self.phase == Phase::Left {
            return;
        }
        match input {
            Input::Begin if self.phase == Phase::Idle => self.locate(),
            Input::Begin => {}
            Input::Located(places) => self.on_located(now, places),
            Input::Response { id, response } => self.on_response(now, id, &response),
            Input::Unanswered { id } => self.on_unanswered(now, id),
            Input::Disconnected => self.on_disconnected(now),
            Input::Leave => self.leave(now),
            Input::Tick => self.on_tick(now),
        }
    }

    /// What is to be done, in order.
    pub fn drain(&mut self) -> VecDeque<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When [`Input::Tick`] is due, if nothing else comes.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.timers.values().min().copied()
    }

    /// Whether nothing more can come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Left
    }

    /// Whether the provider has a binding of ours.
    #[must_use]
    pub const fn is_registered(&self) -> bool {
        self.bound.is_some()
    }

    /// What decides between servers of one priority: always the same, so that a binding stays where it is.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.own.seed
    }

    pub(super) fn locate(&mut self) {
        self.timers.remove(&Reason::Refresh);
        self.timers.remove(&Reason::Retry);
        self.phase = Phase::Locating;
        self.effects.push_back(Effect::Locate);
    }

    fn on_located(&mut self, now: Moment, places: Vec<Place>) {
        if self.phase != Phase::Locating {
            return;
        }
        self.places = places.into();
        self.ask_next(now, Failure::NotFound);
    }

    /// Asks the next server; where there is none, gives up for a while.
    pub(super) fn ask_next(&mut self, now: Moment, why: Failure) {
        match self.places.pop_front() {
            Some(place) => self.ask(now, place, 0),
            None => {
                let timing = self.settings.timing;
                let doubled = timing.retry_least_ms.saturating_mul(1 << self.failures.min(20));
                self.give_up(now, why, doubled.min(timing.retry_most_ms));
            }
        }
    }

    pub(super) fn ask(&mut self, now: Moment, place: Place, too_brief: u32) {
        let Some(id) = self.send(&place, self.expires_s) else {
            return self.ask_next(now, Failure::NotFound);
        };
        self.timers.remove(&Reason::NextServer);
        if !self.places.is_empty() {
            self.set(Reason::NextServer, now + self.settings.timing.next_server_ms);
        }
        self.phase = Phase::Asking(Asked { id, place, too_brief, heard: false });
    }

    /// Waits about so long: half of it at least, so that many registrations that failed together do not come again
    /// together.
    pub(super) fn give_up(&mut self, now: Moment, why: Failure, wait_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        self.places.clear();
        let retry_ms = self.draws.between(wait_ms / 2, wait_ms).max(1);
        self.timers.remove(&Reason::NextServer);
        self.phase = Phase::Waiting;
        self.set(Reason::Retry, now + retry_ms);
        let still_registered = self.bound.is_some();
        self.tell(Event::Failed { why, retry_ms, still_registered });
    }

    fn on_unanswered(&mut self, now: Moment, id: RequestId) {
        match self.phase.clone() {
            Phase::Asking(asked) if asked.id == id => {
                self.avoid(&asked.place, self.settings.timing.avoid_ms);
                self.ask_next(now, Failure::NoAnswer);
            }
            Phase::Leaving(asked) if asked.id == id => self.left(),
            _ => {}
        }
    }

    fn on_disconnected(&mut self, now: Moment) {
        if self.phase == Phase::Registered {
            // All of a provider's customers lose their connections at once.
            let soon = self.draws.between(1, 1_000);
            self.phase = Phase::Waiting;
            self.timers.remove(&Reason::Refresh);
            self.set(Reason::Retry, now + soon);
        }
    }

    fn leave(&mut self, now: Moment) {
        if let Phase::Leaving(_) = self.phase {
            return;
        }
        self.places.clear();
        self.timers.clear();
        // What was asked may be granted after we have gone: it is taken back where it was asked.
        let place = match self.phase.clone() {
            Phase::Asking(asked) => Some(asked.place),
            _ => self.bound.clone(),
        };
        let Some(place) = place else { return self.left() };
        match self.send(&place, 0) {
            Some(id) => {
                self.phase = Phase::Leaving(Asked { id, place, too_brief: 0, heard: false });
                self.set(Reason::Leave, now + self.settings.timing.leave_ms);
            }
            None => self.left(),
        }
    }

    pub(super) fn left(&mut self) {
        self.phase = Phase::Left;
        self.bound = None;
        self.timers.clear();
        self.tell(Event::Left);
    }

    fn on_tick(&mut self, now: Moment) {
        let due: Vec<Reason> =
            self.timers.iter().filter(|(_, at)| **at <= now).map(|(reason, _)| *reason).collect();
        for reason in due {
            self.timers.remove(&reason);
            match reason {
                Reason::Refresh | Reason::Retry => self.locate(),
                Reason::Expiry => {
                    self.bound = None;
                    self.tell(Event::Expired);
                }
                Reason::NextServer => {
                    if let Phase::Asking(asked) = self.phase.clone()
                        && !asked.heard
                    {
                        self.on_unanswered(now, asked.id);
                    }
                }
                Reason::Leave => self.left(),
            }
        }
    }

    pub(super) fn avoid(&mut self, place: &Place, for_ms: u64) {
        self.effects.push_back(Effect::Avoid { target: place.target.clone(), for_ms });
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.effects.push_back(Effect::Tell(event));
    }

    pub(super) fn set(&mut self, reason: Reason, at: Moment) {
        self.timers.insert(reason, at);
    }
}
