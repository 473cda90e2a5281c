//! Whatever hangs, panics or is late, in whatever order: everybody is told once, and of their own.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;

use super::fake::{Desk, settings};
use crate::batching::{RequestSettings, WatchdogSettings};

/// Works by what becomes of them: one in five hangs, panics or is late, each with its number.
const KINDS: u64 = 15;
const LATE_MS: usize = 25;

fn bounds(batch_max: usize) -> RequestSettings {
    let watchdog = WatchdogSettings {
        stall_ms: 4,
        give_up_ms: 12,
        build_ms: 1_000,
        rebuild_ms: 1,
        rebuild_ms_max: 2,
        given_up_max: 64,
    };
    RequestSettings { batch_max, watchdog, ..settings() }
}

/// Asks until it is taken in, for an engine that hangs takes nothing.
fn ask(desk: &Desk, tenant: u64, number: usize, work: u64) {
    desk.until("it is taken in", |desk| desk.ask(tenant, number, work).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn everybody_is_told_once_and_of_their_own(
        asked in prop::collection::vec((0_u64..4, 0..4 * KINDS, any::<bool>()), 5..40),
        batch_max in 1_usize..4,
        threads in 1_usize..4,
    ) {
        let desk = Desk::new(bounds(batch_max), threads);
        desk.control.slow_ms.store(LATE_MS, Ordering::SeqCst);
        for work in 0..4 * KINDS {
            match work % KINDS {
                0 => drop(desk.control.hang.lock().insert(work)),
                1 => drop(desk.control.panic.lock().insert(work)),
                2 => drop(desk.control.slow.lock().insert(work)),
                _ => {}
            }
        }
        for (number, (tenant, work, pause)) in asked.iter().enumerate() {
            ask(&desk, *tenant, number, *work);
            if *pause {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let mut answers = BTreeMap::new();
        for _ in &asked {
            let told = desk.next();
            prop_assert_eq!((told.tenant, told.work), (asked[told.number].0, asked[told.number].1));
            if let Ok(answered) = &told.answer {
                prop_assert_eq!(answered.work, told.work * 10, "another's answer");
                prop_assert_ne!(told.work % KINDS, 1, "a panic gave an answer");
            }
            prop_assert!(answers.insert(told.number, told.answer).is_none(), "told twice");
        }
        prop_assert_eq!(desk.requests.unanswered(), 0);
        desk.control.release();
        desk.until("whoever hung comes back", |desk| desk.requests.hanging() == 0);
        prop_assert!(desk.told.try_recv().is_err(), "what came late was told");
        let kept = desk.control.kept.lock();
        prop_assert!(kept.iter().all(|(work, answered)| answered.work == work * 10));
    }
}
