//! Shares between tenants, order inside one.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{FairQueue, Tenant};

const COST_MAX: u32 = 8;

proptest! {
    /// The bound that the module promises, with a flood beside a trickle.
    #[test]
    fn tenants_with_work_get_their_weights_share(
        weights in prop::collection::vec(1_u32..5, 2..6),
        quantum in COST_MAX..20,
        costs in prop::collection::vec(1..=COST_MAX, 400),
        floods in prop::collection::vec(1_usize..6, 6),
    ) {
        let mut queue = FairQueue::new(quantum);
        let mut costs = costs.into_iter().cycle();
        for (number, weight) in weights.iter().enumerate() {
            for _ in 0..400 * floods[number] {
                let cost = costs.next().unwrap_or(1);
                queue.push(Tenant(number as u64), *weight, Duration::ZERO, cost, (number, cost));
            }
        }
        let mut served: BTreeMap<usize, f64> = BTreeMap::new();
        while (0..weights.len()).all(|number| queue.waiting_of(Tenant(number as u64)) > 1) {
            let (number, cost) = queue.take().expect("work waits");
            *served.entry(number).or_default() += f64::from(cost) / f64::from(weights[number]);
            let shares = || (0..weights.len()).map(|number| served.get(&number).copied().unwrap_or(0.0));
            let most = shares().fold(0.0, f64::max);
            let least = shares().fold(f64::MAX, f64::min);
            prop_assert!(most - least < f64::from(quantum) + 2.0 * f64::from(COST_MAX), "{served:?}");
        }
    }

    /// Inside a tenant the earliest deadline goes first, of equals the one that came first.
    #[test]
    fn a_tenants_own_work_goes_by_deadline(deadlines in prop::collection::vec(0_u64..20, 1..100)) {
        let mut queue = FairQueue::new(1);
        for (order, deadline) in deadlines.iter().enumerate() {
            queue.push(Tenant(1), 1, Duration::from_millis(*deadline), 1, (*deadline, order));
        }
        let taken: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        prop_assert!(taken.is_sorted());
        prop_assert_eq!(taken.len(), deadlines.len());
    }

    /// Every push is taken, removed or expired once, whatever the order of these.
    #[test]
    fn nothing_is_lost_or_taken_twice(
        steps in prop::collection::vec((0_u8..4, 0_u64..4, 1_u32..30, 0_u64..50), 1..300),
    ) {
        let mut queue = FairQueue::new(3);
        let mut places = Vec::new();
        let mut out = Vec::new();
        for (number, (step, tenant, cost, millis)) in steps.into_iter().enumerate() {
            match step {
                0 | 1 => places.push(queue.push(Tenant(tenant), cost, Duration::from_millis(millis), cost, number)),
                2 => out.extend(queue.take()),
                _ if millis < 3 => out.extend(queue.expire(Duration::from_millis(millis))),
                _ => {
                    if let Some(place) = places.get(number % places.len().max(1)) {
                        out.extend(queue.remove(*place));
                    }
                }
            }
        }
        let left = queue.len();
        out.extend(std::iter::from_fn(|| queue.take()));
        prop_assert!(queue.is_empty() && queue.earliest_deadline().is_none() && left <= out.len());
        let all = out.len();
        out.sort_unstable();
        out.dedup();
        prop_assert_eq!((all, out.len()), (places.len(), places.len()));
    }
}

#[test]
fn a_row_waits_for_no_more_than_its_tenants_deadlines_allow() {
    // Newcomers always have earlier deadlines than the patient one; as theirs grow with time, its turn comes.
    let mut queue = FairQueue::new(1);
    queue.push(Tenant(1), 1, Duration::from_millis(1_000), 1, 0);
    let mut taken_at = None;
    for now in 1..3_000_u64 {
        queue.push(Tenant(1), 1, Duration::from_millis(now + 80), 1, now);
        if queue.take() == Some(0) {
            taken_at = Some(now);
            break;
        }
    }
    assert!(taken_at.is_some_and(|now| now <= 1_000), "{taken_at:?}");
}

/// Parts of something longer come back to their turn, and what was not spent meanwhile does not add up.
#[test]
fn who_is_away_keeps_a_turn_and_saves_no_more() {
    let (quantum, long, other) = (4, Tenant(1), Tenant(2));
    let mut queue = FairQueue::new(quantum);
    let never = Duration::from_secs(1_000_000);
    for _ in 0..4_000 {
        queue.push(other, 1, never, 1, "other");
    }
    let mut place = queue.push_part(long, 1, never, (1, 1), "part");
    let mut parts = 0;
    for _ in 0..500 {
        if queue.take() == Some("part") {
            parts += 1;
            // Away while two others are taken.
            assert!(queue.take() == Some("other") && queue.take() == Some("other"));
            place = queue.put_back(place, 1, (1, 1), "part");
            queue.back(long);
        }
    }
    assert!(parts > 50, "{parts}");
    for _ in 0..100 {
        queue.push(long, 1, never, 1, "burst");
    }
    let taken: Vec<_> = std::iter::from_fn(|| queue.take()).take(100).collect();
    let longest =
        taken.chunk_by(|one, next| (*one == "other") == (*next == "other")).filter(|run| run[0] != "other");
    let longest = longest.map(<[_]>::len).max().unwrap_or(0);
    assert!((1..=2 * quantum as usize).contains(&longest), "{longest}: {taken:?}");
    // Nothing comes back: its line is gone with the others.
    while queue.take().is_some() {}
    queue.back(long);
    queue.back(long);
    assert!(queue.is_empty() && queue.lengths().count() == 0);
}
