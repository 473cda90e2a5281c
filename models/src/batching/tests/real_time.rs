//! A simulated device: what was granted keeps real time, whatever is asked beyond it.

use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{
    Admission, AdmissionSettings, Buckets, Due, Outcome, Schedule, ScheduleSettings, Tenant,
};

const PERIOD_MS: u64 = 80;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Twice the load and more is offered, in phases spread over the period. No accepted input waits for longer
    /// than the gathering, the step under way and its own, and none is refused by its ring.
    #[test]
    fn accepted_streams_keep_real_time_under_any_load(
        fixed_us in 500_u64..20_000,
        row_us in 50_u64..3_000,
        offered in 20_usize..200,
        phases in prop::collection::vec(0_u64..PERIOD_MS, 200),
    ) {
        let slots = 128;
        let step = |rows: usize| Duration::from_micros(fixed_us + row_us * rows as u64);
        let mut admission = Admission::new(AdmissionSettings::default());
        let member = admission.add(slots, &[Duration::from_millis(PERIOD_MS)]);
        for size in Buckets::up_to(slots).sizes() {
            admission.record(member, *size, step(*size));
        }
        admission.set_ready(member, true);
        let mut schedule = Schedule::new(slots, ScheduleSettings::default());
        let grants: Vec<_> =
            (0..offered).filter_map(|number| admission.grant(Tenant(number as u64 % 5), &[member]).ok()).collect();
        let streams: Vec<_> = (0..grants.len()).filter_map(|number| {
            Some((schedule.join(Tenant(number as u64 % 5), 1)?, phases[number]))
        }).collect();
        prop_assert_eq!(streams.len(), grants.len());

        let longest = Duration::from_millis(ScheduleSettings::default().gather_ms + 1) + 2 * step(streams.len());
        let mut free_at = Duration::ZERO;
        let mut busy = false;
        for tick in 0..20 * PERIOD_MS {
            let now = Duration::from_millis(tick);
            for (ticket, phase) in &streams {
                if tick % PERIOD_MS == *phase {
                    let pushed = schedule.push(*ticket, tick, now, now + Duration::from_millis(PERIOD_MS));
                    prop_assert!(pushed.is_ok(), "an accepted stream's ring overflowed");
                }
            }
            if busy && free_at <= now {
                busy = false;
                for (_, outcome) in schedule.finish(free_at) {
                    let Outcome::Deliver { waited, .. } = outcome else { continue };
                    prop_assert!(waited <= longest, "{waited:?} of {longest:?}, {} streams", streams.len());
                }
            }
            if !busy && schedule.due(now) == Due::Now {
                let rows = schedule.batch().rows.len();
                free_at = now + step(rows);
                busy = true;
            }
        }
        prop_assert!(schedule.lag(Duration::from_millis(20 * PERIOD_MS)) <= longest);
    }
}
