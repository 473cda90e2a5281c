//! Requests against a model that answers with twice what it is asked: who is told what, when, and that nobody waits for
//! another's flood.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{Ask, Asking, Declined, Due, RequestSettings, Requests, Tenant};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn asking(tenant: u64, deadline: Duration, cost: u32) -> Asking {
    Asking { tenant: Tenant(tenant), deadline, cost, rest: 0 }
}

/// What is known of one request, as it comes back with its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Who {
    number: usize,
    work: u64,
    came: Duration,
    deadline: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Ask {
        tenant: u64,
        work: u64,
        count: usize,
        within_ms: u64,
    },
    Cancel(usize),
    Take,
    Finish {
        succeeds: bool,
    },
    /// The pass hangs.
    Abandon,
    /// One that hung comes to an end.
    ComeBack {
        succeeds: bool,
    },
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u64..4, 0_u64..12, 1_usize..4, 0_u64..40)
            .prop_map(|(tenant, work, count, within_ms)| Act::Ask { tenant, work, count, within_ms }),
        1 => (0_usize..100).prop_map(Act::Cancel),
        3 => Just(Act::Take),
        3 => any::<bool>().prop_map(|succeeds| Act::Finish { succeeds }),
        1 => Just(Act::Abandon),
        1 => any::<bool>().prop_map(|succeeds| Act::ComeBack { succeeds }),
        2 => (0_u64..20).prop_map(Act::Wait),
    ]
}

/// Everything that happened, and the rules.
struct World {
    requests: Requests<u64, Who>,
    now: Duration,
    asks: Vec<(Ask, Who)>,
    told: BTreeSet<usize>,
    asked: usize,
    /// Passes in hand: what they are for and when they began.
    passes: BTreeMap<u64, (Vec<u64>, Duration)>,
    hanging: Vec<u64>,
    settings: RequestSettings,
}

impl World {
    fn new(settings: RequestSettings) -> Self {
        Self {
            requests: Requests::new(settings),
            now: Duration::ZERO,
            asks: Vec::new(),
            told: BTreeSet::new(),
            asked: 0,
            passes: BTreeMap::new(),
            hanging: Vec::new(),
            settings,
        }
    }

    /// Each is told once.
    fn tell(&mut self, who: Who) {
        assert!(self.told.insert(who.number), "{who:?} is told twice");
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Ask { tenant, work, count, within_ms } => self.ask(tenant, work, count, within_ms),
            Act::Cancel(which) => {
                let Some((ask, who)) = self.asks.get(which % self.asks.len().max(1)).copied() else { return };
                match self.requests.cancel(ask) {
                    Some(cancelled) => {
                        assert_eq!(cancelled, who, "another's request was cancelled");
                        self.tell(who);
                    }
                    None => assert!(self.told.contains(&who.number), "{who:?} could not be cancelled"),
                }
            }
            Act::Take if self.passes.len() < self.settings.passes_max => self.take(),
            Act::Finish { succeeds } => {
                if let Some((pass, (works, began))) = self.passes.pop_first() {
                    self.finish(pass, &works, began, succeeds);
                }
            }
            Act::Abandon => {
                if let Some((pass, (works, _))) = self.passes.pop_first() {
                    for who in self.requests.abandon(pass) {
                        assert!(works.contains(&who.work), "{who:?} does not wait for it");
                        self.tell(who);
                    }
                    self.hanging.push(pass);
                }
            }
            Act::ComeBack { succeeds } => {
                if let Some(pass) = self.hanging.pop() {
                    assert!(self.requests.finish(pass, succeeds, self.now).is_empty(), "it is nobody's");
                }
            }
            Act::Wait(millis) => self.now += ms(millis),
            Act::Take => {}
        }
        let bound = self.settings.unanswered_max;
        assert!(self.requests.unanswered() <= bound, "more than {bound}");
        assert_eq!(self.requests.waiting() > 0, self.requests.due(self.now) != Due::Nothing);
    }

    fn ask(&mut self, tenant: u64, work: u64, count: usize, within_ms: u64) {
        let deadline = self.now + ms(within_ms);
        let who =
            |at: usize| Who { number: self.asked + at, work: work + at as u64, came: self.now, deadline };
        let works: Vec<(u64, Who)> = (0..count).map(who).map(|who| (who.work, who)).collect();
        let before = self.requests.unanswered();
        match self.requests.ask(asking(tenant, deadline, 2), works.clone(), self.now) {
            Ok(granted) => {
                assert_eq!(granted.asks.len(), count);
                assert!(granted.displaced.is_empty() || before + count > self.settings.unanswered_max);
                self.asked += count;
                self.asks.extend(granted.asks.into_iter().zip(works.into_iter().map(|(_, who)| who)));
                granted.displaced.into_iter().for_each(|who| self.tell(who));
            }
            Err(Declined::Full { .. }) => {
                assert!(before + count > self.settings.unanswered_max, "there was room")
            }
            Err(Declined::Late { wait_ms }) => assert!(wait_ms >= within_ms, "{wait_ms} of {within_ms} ms"),
        }
        assert!(self.requests.unanswered() <= before + count);
    }

    fn take(&mut self) {
        let taken = self.requests.take(self.now);
        for who in taken.late {
            assert!(who.deadline < self.now, "{who:?} is not late");
            self.tell(who);
        }
        if let Some((pass, works)) = taken.pass {
            assert!((1..=self.settings.batch_max).contains(&works.len()));
            let works: Vec<u64> = works.iter().map(|work| **work).collect();
            assert_eq!(works.iter().collect::<BTreeSet<_>>().len(), works.len(), "the same work twice");
            self.passes.insert(pass, (works, self.now));
        }
    }

    /// Whoever is answered asked for just that, and in time.
    fn finish(&mut self, pass: u64, works: &[u64], began: Duration, succeeds: bool) {
        let answered = self.requests.finish(pass, succeeds, self.now);
        assert_eq!(answered.len(), works.len());
        for (work, all) in works.iter().zip(answered) {
            for who in all {
                assert_eq!(who.work, *work, "another's answer");
                assert!(who.deadline >= began || who.came >= began, "{who:?} was late at {began:?}");
                self.tell(who);
            }
        }
    }
}

proptest! {
    /// Whatever happens in whatever order, everybody is told once and of their own work, nothing late is begun, the
    /// bound holds, nobody is forgotten, and what comes of a pass that was given up is nobody's.
    #[test]
    fn everybody_is_told_once_and_of_their_own(
        acts in prop::collection::vec(act(), 1..300),
        batch_max in 1_usize..5,
        passes_max in 1_usize..3,
        unanswered_max in 4_usize..12,
    ) {
        let settings =
            RequestSettings { unanswered_max, batch_max, passes_max, gather_ms: 2, quantum: 3, passes_kept: 8, ..RequestSettings::default() };
        let mut world = World::new(settings);
        acts.into_iter().for_each(|act| world.act(act));
        while world.requests.unanswered() > 0 {
            world.act(Act::Take);
            world.act(Act::Finish { succeeds: true });
        }
        prop_assert_eq!(world.told.len(), world.asked);
    }

    /// A tenant that keeps the engine full doesn't keep another out, nor waiting for more than its share.
    #[test]
    fn a_flood_delays_nobody_by_more_than_its_share(
        costs in prop::collection::vec(1_u32..=8, 1..200),
        quantum in 8_u32..16,
        every in 1_u64..40,
        room in 4_usize..64,
    ) {
        let settings = RequestSettings { unanswered_max: room, quantum, ..RequestSettings::default() };
        let mut requests: Requests<(usize, u32), (u64, Duration)> = Requests::new(settings);
        let (mut now, mut costs, mut free_since) = (Duration::ZERO, costs.into_iter().cycle().enumerate(), 0);
        for turn in 0..300 {
            // The flood asks for more than every place.
            for work in costs.by_ref().take(2 * room) {
                let flood = asking(1, now + ms(1_000_000), work.1);
                if let Ok(granted) = requests.ask(flood, vec![(work, (1, now))], now) {
                    prop_assert!(granted.displaced.is_empty(), "the flood pushed somebody out");
                }
            }
            if turn >= free_since {
                let work = costs.next().unwrap_or_default();
                let trickle = asking(2, now + ms(1_000_000), work.1);
                let granted = requests.ask(trickle, vec![(work, (2, now))], now).expect("never kept out");
                prop_assert!(granted.displaced.iter().all(|(tenant, _)| *tenant == 1));
                free_since = u64::MAX;
            }
            let (pass, works) = requests.take(now).pass.expect("the flood never ends");
            now += ms(u64::from(works[0].1));
            for (tenant, came) in requests.finish(pass, true, now).into_iter().flatten() {
                // The flood's turn, and its own piece.
                let longest = ms(u64::from(quantum + 8 + works[0].1));
                prop_assert!(tenant == 1 || now - came <= longest, "{:?} of {longest:?}", now - came);
                if tenant == 2 {
                    free_since = turn + every;
                }
            }
        }
    }

    /// Where each piece takes as long as it costs, nobody is told to wait for longer than they would.
    #[test]
    fn whoever_is_declined_would_have_been_late(
        asked in prop::collection::vec((0_u64..4, 1_u32..=8), 1..60),
        cost in 1_u32..=8,
        quantum in 1_u32..16,
    ) {
        let settings = RequestSettings { unanswered_max: 1_000, quantum, ..RequestSettings::default() };
        let mut requests: Requests<usize, usize> = Requests::new(settings);
        let deadline = ms(1_000_000);
        let mut now = Duration::ZERO;
        // One that is measured.
        requests.ask(asking(9, deadline, 4), vec![(usize::MAX, 0)], now).expect("room");
        let (pass, _) = requests.take(now).pass.expect("it waits");
        now += ms(4);
        requests.finish(pass, true, now);
        for (number, (tenant, cost)) in asked.iter().enumerate() {
            requests.ask(asking(*tenant, deadline, *cost), vec![(number, number)], now).expect("room");
        }
        let newest = asking(0, deadline, cost);
        let told = requests.wait(newest, now);
        let mine = asked.len();
        requests.ask(newest, vec![(mine, mine)], now).expect("room");
        let mut waited = Duration::ZERO;
        loop {
            let (pass, works) = requests.take(now).pass.expect("it waits");
            if *works[0] == mine {
                break;
            }
            waited += ms(u64::from(asked[*works[0]].1));
            requests.finish(pass, true, now);
        }
        // Give or take a turn of each of the three others.
        let slack = ms(3 * u64::from(quantum + 2 * 8));
        prop_assert!(told <= waited + slack && waited <= told + slack, "told {told:?}, waited {waited:?}");
    }
}

#[test]
fn the_same_work_is_done_once_and_by_whoever_s_turn_is_first() {
    let mut requests = Requests::new(RequestSettings { quantum: 1, ..RequestSettings::default() });
    let (now, later) = (Duration::ZERO, ms(100));
    for work in ["a", "b", "c", "greeting"] {
        requests.ask(asking(1, later, 1), vec![(work, (1, work))], now).expect("room");
    }
    requests.ask(asking(2, later, 1), vec![("greeting", (2, "greeting"))], now).expect("room");
    let mut take = || {
        let (pass, works) = requests.take(now).pass.expect("it waits");
        (*works[0], requests.finish(pass, true, now).concat())
    };
    assert_eq!(take(), ("a", vec![(1, "a")]));
    assert_eq!(take(), ("greeting", vec![(1, "greeting"), (2, "greeting")]), "the second's turn, for both");
    assert_eq!((take().0, take().0), ("b", "c"));
    assert!(requests.take(now).pass.is_none());
}

#[test]
fn what_is_in_hand_is_shared_and_what_nobody_wants_is_not_begun() {
    let mut requests = Requests::new(RequestSettings::default());
    let now = Duration::ZERO;
    let first = requests.ask(asking(1, now, 1), vec![("a", 1)], now).expect("room").asks[0];
    let (pass, _) = requests.take(now).pass.expect("it waits");
    requests.ask(asking(2, now, 1), vec![("a", 2)], now).expect("room");
    let dropped = requests.ask(asking(2, now, 1), vec![("b", 3)], now).expect("room").asks[0];
    assert_eq!((requests.unanswered(), requests.waiting()), (3, 1));
    assert_eq!(
        (requests.cancel(first), requests.cancel(dropped), requests.cancel(dropped)),
        (Some(1), Some(3), None)
    );
    assert_eq!(requests.finish(pass, true, now), [[2]]);
    assert!(requests.take(now).pass.is_none() && requests.unanswered() == 0);
}

#[test]
fn a_request_that_would_be_late_is_told_so_at_once() {
    let mut requests = Requests::new(RequestSettings::default());
    let mut now = Duration::ZERO;
    requests.ask(asking(1, ms(1_000), 1), vec![(0, 0)], now).expect("room");
    let (pass, _) = requests.take(now).pass.expect("it waits");
    now = ms(100);
    requests.finish(pass, true, now);
    // An idle engine takes everything: it may be faster by now.
    requests.ask(asking(1, now + ms(1), 1), vec![(1, 1)], now).expect("nothing is before it");
    assert!(requests.take(now).pass.is_some());
    for work in 2..5 {
        requests.ask(asking(1, now + ms(10_000), 1), vec![(work, work)], now).expect("room");
    }
    let declined = requests.ask(asking(1, now + ms(399), 1), vec![(9, 9)], now).err();
    assert_eq!(declined, None, "with an earlier deadline only what is in hand is before it");
    let declined = requests.ask(asking(1, now + ms(99), 1), vec![(8, 8)], now).err();
    assert_eq!(declined, Some(Declined::Late { wait_ms: 100 }));
    let other = requests.ask(asking(2, now + ms(200), 1), vec![(7, 7)], now);
    assert!(other.is_ok(), "another's line is not before it: {other:?}");
}

#[test]
fn whoever_waits_for_an_engine_that_is_gone_is_handed_back_and_what_is_in_hand_is_not() {
    let mut requests = Requests::new(RequestSettings { quantum: 4, ..RequestSettings::default() });
    let now = Duration::ZERO;
    let asked = [("a", 1), ("b", 2), ("a", 3), ("c", 4)].map(|(work, tenant)| {
        requests.ask(asking(tenant, ms(100), 10), vec![(work, tenant)], now).expect("room");
        tenant
    });
    let (pass, _) = requests.take(now).pass.expect("it waits");
    assert_eq!(requests.turns(pass), 3, "10 in turns of 4");
    let mut waiting = requests.end_waiting();
    waiting.sort_unstable();
    assert_eq!(waiting, [asked[1], asked[3]]);
    assert_eq!((requests.due(now), requests.unanswered()), (Due::Nothing, 2));
    assert_eq!(requests.abandon(pass), [1, 3]);
    assert_eq!((requests.unanswered(), requests.abandon(pass)), (0, vec![]));
    requests.ask(asking(1, ms(100), 1), vec![("a", 5)], now).expect("room");
    let (again, _) = requests.take(now).pass.expect("the same work is begun anew");
    assert!(requests.finish(pass, true, now).is_empty());
    assert_eq!(requests.finish(again, true, now), [[5]]);
}
