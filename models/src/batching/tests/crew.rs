//! A crew whose threads do as they please.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{Crew, GivenUp, Look, WatchdogSettings, Worker};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const SETTINGS: WatchdogSettings = WatchdogSettings {
    stall_ms: 10,
    give_up_ms: 50,
    build_ms: 100,
    rebuild_ms: 20,
    rebuild_ms_max: 40,
    given_up_max: 2,
};

/// A crew of `places`, all at their place.
fn crew(places: usize) -> (Crew, Vec<Worker>) {
    let mut crew = Crew::new(places, SETTINGS);
    let hired: Vec<Worker> = std::iter::from_fn(|| crew.hire(ms(0))).collect();
    assert!(hired.len() == places && !crew.is_ready());
    assert!(hired.iter().all(|worker| crew.made(*worker)) && crew.is_ready());
    (crew, hired)
}

#[test]
fn a_pass_stalls_and_is_given_up_by_what_it_costs() {
    let (mut crew, hired) = crew(2);
    crew.begin(hired[0], Some(1), 1, ms(0));
    crew.begin(hired[1], Some(2), 3, ms(0));
    assert_eq!(crew.look(ms(10)), Look::default());
    assert_eq!((crew.look(ms(11)).stalls, crew.is_ready()), (1, true));
    assert_eq!((crew.look(ms(31)).stalls, crew.is_ready()), (1, false));
    let given_up = vec![GivenUp { pass: Some(1), after: ms(51) }];
    assert_eq!(crew.look(ms(51)), Look { stalls: 0, given_up });
    assert!(!crew.has(hired[0]) && crew.has(hired[1]) && crew.hanging() == 1);
    assert!(crew.end(hired[1]) && crew.is_ready(), "it was only slow");
    assert!(!crew.end(hired[0]) && crew.hanging() == 0, "it comes back and is to end");
}

#[test]
fn a_place_is_taken_again_at_once_and_then_less_and_less_soon() {
    let (mut crew, hired) = crew(1);
    crew.begin(hired[0], Some(1), 1, ms(0));
    assert_eq!(crew.look(ms(60)).given_up.len(), 1);
    let second = crew.hire(ms(60)).expect("at once");
    assert!(second != hired[0] && crew.hire(ms(60)).is_none(), "one for each place");
    assert!(crew.failed(second, ms(70)) && !crew.has(second));
    assert_eq!((crew.hire(ms(89)), crew.hire(ms(90)).is_some()), (None, true), "after 20 ms");
    assert_eq!(crew.look(ms(191)).given_up, [GivenUp { pass: None, after: ms(101) }], "made for too long");
    assert_eq!(crew.hire(ms(10_000)), None, "as many hang as may");
    assert!(!crew.end(hired[0]));
    let fourth = crew.hire(ms(10_000)).expect("one came back");
    assert!(crew.made(fourth));
    crew.begin(fourth, Some(2), 1, ms(10_000));
    assert!(crew.end(fourth), "a good pass");
    crew.begin(fourth, Some(3), 1, ms(10_000));
    assert_eq!(crew.look(ms(10_060)).given_up.len(), 1);
    assert!(!crew.made(fourth) && crew.hire(ms(10_060)).is_some(), "at once again");
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Hire,
    Made(usize),
    Failed(usize),
    Begin(usize),
    End(usize),
    Look,
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Hire),
        3 => (0_usize..20).prop_map(Act::Made),
        1 => (0_usize..20).prop_map(Act::Failed),
        3 => (0_usize..20).prop_map(Act::Begin),
        3 => (0_usize..20).prop_map(Act::End),
        2 => Just(Act::Look),
        3 => (0_u64..80).prop_map(Act::Wait),
    ]
}

/// What a thread knows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Making,
    Idle,
    AtWork(u64),
}

proptest! {
    /// Whatever threads do: there are never more than the places and those that may hang, each learns once that it
    /// was given up, each pass is given up once at most, and never one that came to an end.
    #[test]
    fn threads_are_bounded_and_each_is_given_up_once(
        acts in prop::collection::vec(act(), 1..200),
        places in 1_usize..4,
    ) {
        let mut crew = Crew::new(places, SETTINGS);
        let mut alive: Vec<(Worker, Is)> = Vec::new();
        let (mut now, mut passes, mut over) = (ms(0), 0, BTreeSet::new());
        for act in acts {
            let at = |which: usize, alive: &[(Worker, Is)]| which.checked_rem(alive.len());
            match act {
                Act::Hire => alive.extend(crew.hire(now).map(|worker| (worker, Is::Making))),
                Act::Made(which) => if let Some(at) = at(which, &alive) && alive[at].1 == Is::Making {
                    alive[at].1 = Is::Idle;
                    if !crew.made(alive[at].0) {
                        alive.remove(at);
                    }
                },
                Act::Failed(which) => if let Some(at) = at(which, &alive) && alive[at].1 == Is::Making {
                    crew.failed(alive[at].0, now);
                    alive.remove(at);
                },
                Act::Begin(which) => if let Some(at) = at(which, &alive) && alive[at].1 == Is::Idle {
                    passes += 1;
                    prop_assert!(crew.has(alive[at].0), "nobody idle is given up");
                    crew.begin(alive[at].0, Some(passes), 1, now);
                    alive[at].1 = Is::AtWork(passes);
                },
                Act::End(which) => if let Some(at) = at(which, &alive) && let (worker, Is::AtWork(pass)) = alive[at] {
                    if crew.end(worker) {
                        prop_assert!(over.insert(pass), "given up, and yet at its place");
                        alive[at].1 = Is::Idle;
                    } else {
                        prop_assert!(over.contains(&pass), "nobody was told of it");
                        alive.remove(at);
                    }
                },
                Act::Look => for lost in crew.look(now).given_up {
                    if let Some(pass) = lost.pass {
                        prop_assert!(lost.after > ms(SETTINGS.give_up_ms) && over.insert(pass), "{lost:?}");
                    }
                },
                Act::Wait(millis) => now += ms(millis),
            }
            let hanging = alive.iter().filter(|(worker, _)| !crew.has(*worker)).count();
            prop_assert_eq!(hanging, crew.hanging());
            prop_assert!(alive.len() - hanging <= places && hanging < SETTINGS.given_up_max + places);
            prop_assert!(!crew.is_ready() || alive.iter().any(|(worker, is)| crew.has(*worker) && *is != Is::Making));
        }
    }
}
