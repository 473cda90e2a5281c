//! What batching itself costs, without a model.

use std::time::{Duration, Instant};

use models::batching::{Asking, Due, Outcome, RequestSettings, Requests, Schedule, ScheduleSettings, Tenant};

/// Slots of a schedule, and requests of a pass.
pub(crate) const SIZES: [usize; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// Rows and requests of each size.
const ROWS: usize = 200_000;
const TENANTS: u64 = 16;

/// A step of `slots` rows from 16 tenants, each with its input, and their outputs handed out: in nanoseconds.
pub(crate) fn step_ns(slots: usize) -> f64 {
    let mut schedule = Schedule::new(slots, ScheduleSettings::default());
    let streams: Vec<_> =
        (0..slots).filter_map(|number| schedule.join(Tenant(number as u64 % TENANTS), 1)).collect();
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
    took.as_secs_f64() * 1e9 / steps as f64
}

/// A pass over `requests` requests from 16 tenants, asked, taken and handed out: in nanoseconds.
pub(crate) fn pass_ns(requests: usize) -> f64 {
    let settings =
        RequestSettings { unanswered_max: requests, batch_max: requests, ..RequestSettings::default() };
    let mut queue = Requests::new(settings);
    let passes = ROWS / requests;
    let mut answered = 0;
    let started = Instant::now();
    for pass in 0..passes {
        let now = Duration::from_millis(pass as u64);
        for number in 0..requests {
            let tenant = Tenant(number as u64 % TENANTS);
            let asking = Asking { tenant, deadline: now + Duration::from_secs(1), cost: 1, rest: 0 };
            assert!(queue.ask(asking, vec![(number, number)], now).is_ok());
        }
        let (number, works) = queue.take(now).pass.unwrap_or_default();
        assert_eq!(works.len(), requests);
        answered += queue.finish(number, true, now).len();
    }
    let took = started.elapsed();
    assert_eq!(answered, passes * requests);
    took.as_secs_f64() * 1e9 / passes as f64
}
