//! A busy engine asks for longer pieces, an idle one for the ones that were set.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fake::{Caller, ready, settings, start};
use crate::batching::PaceSettings;
use crate::step_loop::Settings;

#[test]
fn streams_are_asked_for_longer_pieces_and_for_shorter_ones_again() {
    let pace = PaceSettings { steps: 3, hold_ms: 0, ..PaceSettings::default() };
    let settings = Settings { slower_ms: vec![400], pace, ..settings(4) };
    let (step_loop, control) = start(settings);
    ready(&step_loop);
    let old = Caller::open(&step_loop, 1);
    let rounds = |count: usize, within_ms: u64| {
        for _ in 0..count {
            old.stream.push(1, Duration::from_millis(within_ms)).expect("room");
            old.next_output();
        }
    };
    rounds(4, 20);
    assert_eq!(old.stream.pace(), 0);
    control.step_us.store(15_000, Ordering::SeqCst);
    rounds(3, 20);
    let new = Caller::open(&step_loop, 1);
    assert_eq!((old.stream.pace(), new.stream.pace()), (0, 1), "new streams first");
    rounds(4, 20);
    assert_eq!(old.stream.pace(), 1, "then all");
    control.step_us.store(0, Ordering::SeqCst);
    rounds(20, 400);
    assert_eq!((old.stream.pace(), new.stream.pace()), (0, 0));
}
