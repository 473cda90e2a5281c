//! A running engine sings on, and one that sings wrong is built again before anybody new is let in.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fake::{Caller, PATIENCE, ready, settings, start};
use crate::step_loop::{Health, Settings, StepLoop};

/// Looks until `right`, for as long as a test waits.
fn until(what: &str, right: impl Fn() -> bool) {
    let tries = PATIENCE.as_millis() / 5;
    assert!(
        (0..tries).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            right()
        }),
        "never: {what}"
    );
}

fn singing() -> Settings {
    Settings { canary_ms: 20, ..settings(2) }
}

fn sung(step_loop: &StepLoop<u64, u64>, more: u64) {
    let before = step_loop.counts().canaries;
    until("another song", || step_loop.counts().canaries >= before + more);
}

#[test]
fn it_sings_between_the_steps_of_a_full_engine_and_nobody_hears_it() {
    let (step_loop, _) = start(singing());
    ready(&step_loop);
    let callers = [Caller::open(&step_loop, 1), Caller::open(&step_loop, 2)];
    for round in 1..=50 {
        callers.iter().for_each(|caller| caller.push(3));
        for caller in &callers {
            assert_eq!(caller.next_output(), 3 * round);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    sung(&step_loop, 2);
    let counts = step_loop.counts();
    assert!(counts.canaries >= 3 && counts.canaries_failed == 0 && counts.builds == 1, "{counts:?}");
}

#[test]
fn one_that_sings_wrong_is_not_ready_until_it_sings_right() {
    let (step_loop, control) = start(singing());
    ready(&step_loop);
    let caller = Caller::open(&step_loop, 1);
    caller.push(5);
    assert_eq!(caller.next_output(), 5);
    control.off_by.store(1, Ordering::SeqCst);
    until("a wrong song", || step_loop.counts().canaries_failed > 0);
    until("not ready", || step_loop.health() == Health::Rebuilding);
    control.off_by.store(0, Ordering::SeqCst);
    until("ready again", || step_loop.health() == Health::Ready);
    caller.push(6);
    assert_eq!(caller.next_output(), 11, "the stream goes on where it was");
    assert!(step_loop.counts().builds > 1);
}
