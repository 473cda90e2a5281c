//! Never more than the measured steps allow.

use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{Admission, AdmissionSettings, Refusal, Tenant};

const PERIOD: Duration = Duration::from_millis(80);

/// A step of `rows` rows, in microseconds.
fn step(fixed: u64, row: u64, rows: usize) -> Duration {
    Duration::from_micros(fixed + row * rows as u64)
}

proptest! {
    #[test]
    fn grants_stay_within_the_measured_share(
        engines in prop::collection::vec((1_usize..600, 0_u64..20_000, 0_u64..2_000), 1..4),
        asks in prop::collection::vec((0_usize..4, any::<bool>(), 0_u64..3), 1..400),
    ) {
        let mut admission = Admission::new(AdmissionSettings::default());
        let members: Vec<_> = engines.iter().map(|(slots, ..)| admission.add(*slots, &[PERIOD])).collect();
        for (member, (slots, fixed, row)) in members.iter().zip(&engines) {
            for size in crate::batching::Buckets::up_to(*slots).sizes() {
                (0..3).for_each(|_| admission.record(*member, *size, step(*fixed, *row, *size)));
            }
            admission.set_ready(*member, true);
        }
        let mut grants = Vec::new();
        for (which, release, tenant) in asks {
            let member = members[which % members.len()];
            if release && !grants.is_empty() {
                admission.release(grants.swap_remove(which % grants.len()));
            } else if let Ok(grant) = admission.grant(Tenant(tenant), &[member]) {
                grants.push(grant);
            }
            // Counted here from the steps themselves, not from what admission thinks of them.
            let busy: f64 = members.iter().zip(&engines).map(|(member, (_, fixed, row))| {
                let granted = admission.granted(*member);
                if granted == 0 { 0.0 } else { step(*fixed, *row, granted).as_secs_f64() / PERIOD.as_secs_f64() }
            }).sum();
            prop_assert!(busy <= 0.7 + 1e-9, "{busy}");
            prop_assert!(members.iter().zip(&engines).all(|(member, (slots, ..))| admission.granted(*member) <= *slots));
        }
        for grant in grants {
            admission.release(grant);
        }
        prop_assert!(members.iter().all(|member| admission.granted(*member) == 0));
        prop_assert_eq!(admission.share(&[]), Some(0.0));
    }
}

fn measured(admission: &mut Admission, slots: usize, row: u64) -> crate::batching::Member {
    let member = admission.add(slots, &[PERIOD]);
    for size in crate::batching::Buckets::up_to(slots).sizes() {
        admission.record(member, *size, step(0, row, *size));
    }
    admission.set_ready(member, true);
    member
}

#[test]
fn a_refusal_says_why() {
    let mut admission =
        Admission::new(AdmissionSettings { tenant_streams_max: 3, ..AdmissionSettings::default() });
    let slow = measured(&mut admission, 8, 20_000);
    let small = measured(&mut admission, 1, 1);
    let unmeasured = admission.add(8, &[PERIOD]);
    assert_eq!(admission.grant(Tenant(1), &[unmeasured]), Err(Refusal::NotReady));
    admission.set_ready(unmeasured, true);
    assert_eq!(
        admission.grant(Tenant(1), &[unmeasured]),
        Err(Refusal::NoTime { percent: 0, percent_max: 70 })
    );
    let _both = admission.grant(Tenant(1), &[slow, small]).expect("room for one on each");
    assert_eq!(admission.grant(Tenant(2), &[slow, small]), Err(Refusal::NoSlot { slots: 1 }));
    assert_eq!(admission.granted(slow), 1, "all of a grant or nothing");
    let _second = admission.grant(Tenant(1), &[slow]).expect("40 ms of 80 ms");
    assert_eq!(admission.grant(Tenant(2), &[slow]), Err(Refusal::NoTime { percent: 101, percent_max: 70 }));
    assert_eq!(admission.grant(Tenant(1), &[slow]), Err(Refusal::TenantFull { limit: 3 }));
}

#[test]
fn steps_that_became_slow_close_the_door_and_leave_those_inside() {
    let mut admission = Admission::new(AdmissionSettings::default());
    let member = measured(&mut admission, 64, 500);
    let grants: Vec<_> = (0..32).map(|_| admission.grant(Tenant(1), &[member]).expect("room")).collect();
    admission.record(member, 32, Duration::from_millis(70));
    assert!(matches!(admission.grant(Tenant(1), &[member]), Err(Refusal::NoTime { .. })));
    assert_eq!(admission.granted(member), grants.len());
    admission.limit(member, 16);
    assert_eq!(admission.grant(Tenant(1), &[member]), Err(Refusal::NoSlot { slots: 16 }));
}
