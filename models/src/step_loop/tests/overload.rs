//! Twice the load: those who were accepted keep real time, the others are refused.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fake::{Caller, Control, listener, ready, settings, start_with};
use crate::batching::{Refusal, Tenant};
use crate::step_loop::Settings;

#[test]
#[expect(clippy::disallowed_methods, reason = "the test feeds its streams in real time")]
fn peer_accepted_streams_keep_real_time_and_new_ones_are_refused() {
    // A step of 20 ms and 5 ms a row in a period of 200 ms: 140 ms, and so 24 streams, may be used.
    let control = std::sync::Arc::new(Control::default());
    control.step_us.store(20_000, Ordering::SeqCst);
    control.row_us.store(5_000, Ordering::SeqCst);
    let settings = Settings { warm_up_steps: 2, ..settings(48) };
    let (step_loop, _) = start_with(settings, &control);
    ready(&step_loop);
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for number in 0..48 {
        match step_loop.open(Tenant(number % 3), 1, listener().0) {
            Ok(stream) => {
                drop(stream);
                accepted.push(Caller::open(&step_loop, number % 3));
            }
            Err(refusal) => {
                assert!(matches!(refusal, Refusal::NoTime { .. }), "{refusal}");
                refused += 1;
            }
        }
    }
    assert!((8..=24).contains(&accepted.len()) && refused >= 24, "{} accepted", accepted.len());
    let started = Instant::now();
    for round in 1..=10_u32 {
        for caller in &accepted {
            caller.stream.push(1, Duration::from_millis(400)).expect("an accepted stream's ring has room");
        }
        let next = Duration::from_millis(200) * round;
        std::thread::sleep(next.saturating_sub(started.elapsed()));
    }
    for caller in &accepted {
        let last = (0..10).map(|_| caller.next_output()).last();
        assert_eq!(last, Some(10), "no accepted stream lost an input");
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?} for 2 s of input", started.elapsed());
}

#[test]
fn an_idle_engine_that_measured_badly_measures_again() {
    let control = std::sync::Arc::new(Control::default());
    control.step_us.store(180_000, Ordering::SeqCst);
    let settings = Settings { warm_up_steps: 1, measure_again_ms: 0, ..settings(1) };
    let (step_loop, _) = start_with(settings, &control);
    ready(&step_loop);
    assert!(matches!(step_loop.open(Tenant(1), 1, listener().0).err(), Some(Refusal::NoTime { .. })));
    control.step_us.store(0, Ordering::SeqCst);
    let opens = || step_loop.open(Tenant(1), 1, listener().0).is_ok();
    assert!((0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        opens()
    }));
}
