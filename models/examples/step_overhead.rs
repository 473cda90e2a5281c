//! What batching itself costs per step, without a model: `cargo run --release -p models --example step_overhead`.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench measures and prints")]

use std::time::{Duration, Instant};

use models::batching::{Due, Outcome, Schedule, ScheduleSettings, Tenant};

/// Inputs of each size that are scheduled.
const ROWS: usize = 400_000;

fn main() {
    println!("slots  step_us  row_ns");
    for slots in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] {
        let mut schedule = Schedule::new(slots, ScheduleSettings::default());
        let streams: Vec<_> =
            (0..slots).filter_map(|number| schedule.join(Tenant(number as u64 % 16), 1)).collect();
        let steps = ROWS / slots;
        let mut delivered = 0;
        let started = Instant::now();
        for step in 0..steps {
            let now = Duration::from_millis(80 * step as u64);
            for ticket in &streams {
                assert!(schedule.push(*ticket, step, now, now + Duration::from_millis(80)).is_ok());
            }
            assert_ne!(schedule.due(now), Due::Nothing);
            assert_eq!(schedule.batch().rows.len(), slots);
            let told = schedule.finish(now);
            delivered += told.iter().filter(|(_, what)| matches!(what, Outcome::Deliver { .. })).count();
        }
        let took = started.elapsed();
        assert_eq!(delivered, steps * slots);
        let step_us = took.as_secs_f64() * 1e6 / steps as f64;
        println!("{slots:5}  {step_us:7.2}  {:6.0}", step_us * 1e3 / slots as f64);
    }
}
