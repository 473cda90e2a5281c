//! What breaks: the model, its memory, one row, a step that hangs. Calls go on.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fake::{Caller, NOT_A_NUMBER, PANIC, PATIENCE, listener, ready, settings, start, start_with};
use crate::batching::{Refusal, ScheduleSettings, Tenant};
use crate::step_loop::{Event, Failure, Health, Settings};

#[test]
fn a_step_that_panics_costs_nobody_its_call() {
    let (step_loop, control) = start(settings(8));
    ready(&step_loop);
    let callers: Vec<_> = (0..4).map(|tenant| Caller::open(&step_loop, tenant)).collect();
    for (number, caller) in callers.iter().enumerate() {
        caller.push(10 + number as u64);
        assert_eq!(caller.next_output(), 10 + number as u64);
    }
    control.panic_once.store(true, Ordering::SeqCst);
    for caller in &callers {
        caller.push(1);
    }
    for (number, caller) in callers.iter().enumerate() {
        assert_eq!(caller.next_output(), 11 + number as u64, "its state was made again from what it held");
    }
    let counts = step_loop.counts();
    assert_eq!((counts.failures, counts.builds, control.builds.load(Ordering::SeqCst)), (1, 2, 2));
    assert_eq!(step_loop.wait_until_ready(PATIENCE), Health::Ready);
}

#[test]
fn the_stream_whose_row_breaks_the_model_ends_and_the_others_go_on() {
    let (step_loop, control) = start(settings(8));
    ready(&step_loop);
    let callers: Vec<_> = (0..6).map(|tenant| Caller::open(&step_loop, tenant)).collect();
    control.hang.store(true, Ordering::SeqCst);
    for (number, caller) in callers.iter().enumerate() {
        caller.push(if number == 3 { PANIC } else { number as u64 });
    }
    control.hang.store(false, Ordering::SeqCst);
    for (number, caller) in callers.iter().enumerate().filter(|(number, _)| *number != 3) {
        assert_eq!(caller.next_output(), number as u64);
    }
    let ended = std::iter::from_fn(|| Some(callers[3].next())).find(|event| matches!(event, Event::Ended(_)));
    assert_eq!(ended, Some(Event::Ended(Failure::Failed { why: "the step panicked".into() })));
}

#[test]
fn an_output_that_is_no_number_is_a_failure_of_its_stream() {
    let (step_loop, control) = start(settings(4));
    ready(&step_loop);
    let (sick, well) = (Caller::open(&step_loop, 1), Caller::open(&step_loop, 2));
    well.push(5);
    assert_eq!(well.next_output(), 5);
    sick.push(NOT_A_NUMBER);
    assert!(matches!(sick.next(), Event::Ended(Failure::NotFinite { .. })));
    well.push(6);
    assert_eq!(well.next_output(), 11);
    assert_eq!(control.builds.load(Ordering::SeqCst), 1, "the model stays");
}

#[test]
fn a_stream_is_told_what_the_new_model_does_not_know() {
    let schedule = ScheduleSettings { held_max: 2, ..ScheduleSettings::default() };
    let (step_loop, control) = start(Settings { schedule, ..settings(2) });
    ready(&step_loop);
    let caller = Caller::open(&step_loop, 1);
    for input in [100, 20, 3] {
        caller.push(input);
        caller.next_output();
    }
    control.panic_once.store(true, Ordering::SeqCst);
    caller.push(4);
    assert_eq!(caller.next(), Event::Reprimed { forgotten: 1 });
    assert!(matches!(caller.next(), Event::Output { output: 27, .. }));
}

#[test]
fn without_memory_steps_become_smaller() {
    let (step_loop, control) = start(settings(16));
    ready(&step_loop);
    let callers: Vec<_> = (0..12).map(|tenant| Caller::open(&step_loop, tenant)).collect();
    control.memory_rows.store(5, Ordering::SeqCst);
    control.hang.store(true, Ordering::SeqCst);
    callers.iter().for_each(|caller| caller.push(3));
    control.widest.store(0, Ordering::SeqCst);
    control.hang.store(false, Ordering::SeqCst);
    for caller in &callers {
        assert_eq!(caller.next_output(), 3);
    }
    assert!(step_loop.counts().failures >= 1);
    assert!(matches!(
        step_loop.open(Tenant(99), 1, listener().0).err(),
        Some(Refusal::NoSlot { .. } | Refusal::NotReady)
    ));
}

#[test]
fn a_step_that_hangs_is_seen_counted_and_given_up() {
    let settings = Settings { stall_ms: 40, give_up_ms: 300, ..settings(4) };
    let (step_loop, control) = start(settings);
    ready(&step_loop);
    let caller = Caller::open(&step_loop, 1);
    control.hang.store(true, Ordering::SeqCst);
    caller.push(1);
    assert!(matches!(caller.next(), Event::Ended(Failure::Failed { .. })), "the handle times out");
    assert_eq!((step_loop.health(), step_loop.counts().stalls), (Health::Behind, 1));
    assert_eq!(step_loop.open(Tenant(1), 1, listener().0).err(), Some(Refusal::NotReady));
    control.hang.store(false, Ordering::SeqCst);
    assert_eq!(step_loop.wait_until_ready(PATIENCE), Health::Ready);
    caller.hears_nothing();
    let next = Caller::open(&step_loop, 1);
    next.push(2);
    assert_eq!(next.next_output(), 2, "the slot's new stream hears nothing of the old one");
}

#[test]
fn a_model_that_cannot_be_built_is_tried_again() {
    let control = std::sync::Arc::new(super::fake::Control::default());
    control.failing_builds.store(3, Ordering::SeqCst);
    let (step_loop, _) = start_with(settings(2), &control);
    let until = std::time::Duration::from_secs(20);
    let mut health = step_loop.wait_until_ready(until);
    for _ in 0..400 {
        if health == Health::Ready {
            break;
        }
        assert_eq!(health, Health::Failed("the step failed: no weights".into()));
        std::thread::sleep(Duration::from_millis(10));
        health = step_loop.health();
    }
    assert_eq!(health, Health::Ready);
    assert_eq!(control.builds.load(Ordering::SeqCst), 4);
}
