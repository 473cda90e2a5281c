//! Watches a loop from outside: a step that hangs can't say so itself.

use std::time::Duration;

use super::shared::{Health, Shared, tell};
use super::{Failure, metrics as measured};

/// How often a loop is looked at, in parts of the time after which a step counts as stalled.
const LOOKS_PER_STALL: u64 = 4;

/// Watches until the loop is closed.
pub(super) fn watch<I: Clone, O>(shared: &Shared<I, O>) {
    let every = Duration::from_millis((shared.settings.stall_ms / LOOKS_PER_STALL).max(1));
    let mut state = shared.state.lock();
    while !state.closed {
        drop(state);
        look(shared);
        state = shared.state.lock();
        if !state.closed {
            // Woken early by a change of health, it looks once more.
            shared.changed.wait_for(&mut state, every);
        }
    }
}

fn look<I: Clone, O>(shared: &Shared<I, O>) {
    let settings = &shared.settings;
    let mut told = Vec::new();
    let mut state = shared.state.lock();
    let now = shared.now();
    let lag = state.schedule.lag(now);
    let stepping = state.stepping_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
    if stepping > Duration::from_millis(settings.stall_ms) && !state.stalled {
        state.stalled = true;
        state.counts.stalls += 1;
        measured::count_stall(shared.name);
        shared.set_health(&mut state, Health::Behind);
    }
    let lag_max = Duration::from_millis(settings.lag_ms_max);
    if lag > lag_max && state.health == Health::Ready {
        shared.set_health(&mut state, Health::Behind);
    } else if lag < lag_max / 2 && state.health == Health::Behind && !state.stalled {
        shared.set_health(&mut state, Health::Ready);
    }
    let stuck = state.stalled || !matches!(state.health, Health::Ready | Health::Behind);
    if stuck && lag > Duration::from_millis(settings.give_up_ms) {
        let why = format!("no step came to an end for {} ms", lag.as_millis());
        told = shared.end_all(&mut state, &Failure::Failed { why });
    }
    measured::set_health(shared.name, state.health == Health::Ready, lag);
    drop(state);
    tell(told);
}
