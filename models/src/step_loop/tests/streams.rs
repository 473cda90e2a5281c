//! Streams on real threads: everybody hears only itself, whatever the others do.

use std::time::Duration;

use super::fake::{Caller, listener, ready, settings, start};
use crate::batching::{Refusal, Tenant};
use crate::step_loop::{Event, Refused};

/// Steps of one stream's life; a third of them is cancelled half-way.
const INPUTS: u64 = 30;

#[test]
fn nobody_hears_another_stream() {
    let (step_loop, _) = start(settings(16));
    ready(&step_loop);
    // More lives than slots, on several threads, so that slots are reused all the time.
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let step_loop = &step_loop;
            scope.spawn(move || (0..25).for_each(|life| live(step_loop, thread, thread * 1_000 + life + 1)));
        }
    });
    assert_eq!(step_loop.counts().failures, 0);
}

/// One stream with inputs that no other stream has: `own`, again and again.
fn live(step_loop: &crate::step_loop::StepLoop<u64, u64>, tenant: u64, own: u64) {
    let caller = Caller::open(step_loop, tenant);
    let mut sum = 0;
    for number in 0..INPUTS {
        if own.is_multiple_of(3) && number == INPUTS / 2 {
            caller.push(own);
            caller.stream.cancel();
            // What was told before the cancellation may be here; of what comes after it everything is new.
            while caller.events.try_recv().is_ok() {}
            sum = 0;
        }
        caller.push(own);
        sum += own;
        assert_eq!(caller.next_output(), sum, "stream {own} heard somebody else");
    }
    caller.push(own);
    // The stream leaves with an input under way; its slot's next stream must not hear of it.
}

#[test]
fn nothing_is_told_after_the_end_and_a_listener_may_push() {
    let (step_loop, control) = start(settings(2));
    ready(&step_loop);
    let caller = Caller::open(&step_loop, 1);
    control.hang.store(true, std::sync::atomic::Ordering::SeqCst);
    caller.push(7);
    std::thread::sleep(Duration::from_millis(30));
    caller.stream.cancel();
    control.hang.store(false, std::sync::atomic::Ordering::SeqCst);
    caller.hears_nothing();
    caller.push(8);
    assert_eq!(caller.next_output(), 8);
    drop(step_loop);
    assert!(matches!(caller.next(), Event::Ended(_)));
    assert_eq!(caller.stream.push(1, Duration::ZERO), Err(Refused::Over(1)));
}

#[test]
fn slots_and_rings_are_bounded() {
    let (step_loop, control) = start(settings(1));
    ready(&step_loop);
    let first = Caller::open(&step_loop, 1);
    assert_eq!(step_loop.open(Tenant(1), 1, listener().0).err(), Some(Refusal::NoSlot { slots: 1 }));
    control.hang.store(true, std::sync::atomic::Ordering::SeqCst);
    first.push(1);
    while first.stream.backlog() > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let waiting = (0..10).filter(|_| first.stream.push(1, Duration::ZERO).is_ok()).count();
    assert_eq!(waiting, 5, "one is under way");
    assert!(matches!(first.stream.push(9, Duration::ZERO), Err(Refused::Full(9))));
    control.hang.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!((0..6).map(|_| first.next_output()).last(), Some(6));
    drop(first);
    Caller::open(&step_loop, 1);
}

#[test]
fn a_listener_that_panics_harms_nobody_else() {
    let (step_loop, _) = start(settings(2));
    ready(&step_loop);
    let bad = step_loop.open(Tenant(1), 1, Box::new(|_| panic!("told to"))).expect("room");
    let good = Caller::open(&step_loop, 1);
    bad.push(1, Duration::ZERO).expect("room");
    good.push(4);
    assert_eq!(good.next_output(), 4);
    good.push(4);
    assert_eq!(good.next_output(), 8);
    assert_eq!(step_loop.counts().failures, 0);
}
