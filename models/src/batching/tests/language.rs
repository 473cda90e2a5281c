//! A model whose answers cost hundreds of times a text's and come in parts, as a language model's do, in one queue with
//! short requests: who pays, who waits for whom, who is refused, and what is forgotten. There is no such model; a work
//! here is how many tokens it reads and says, which only the model knows before they are said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{Ask, Asking, Declined, More, RequestSettings, Requests, Taken, Tenant};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Tokens said in one pass.
const PART: u32 = 32;
const PROMPT_MAX: u32 = 400;
const QUANTUM: u32 = 64;
const NEVER: Duration = Duration::from_secs(1_000_000);

/// One request: its number, what it reads, and what it says; nothing is said to a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    number: usize,
    prompt: u32,
    says: u32,
}

/// The model: how much of each was said. A token takes a millisecond.
#[derive(Default)]
struct Model {
    said: BTreeMap<Turn, u32>,
}

impl Model {
    /// What a pass over a turn costs, and what it goes on with. The first reads, and says nothing.
    fn step(&mut self, turn: Turn) -> (u32, Option<More>) {
        let Some(said) = self.said.get(&turn).copied() else {
            self.said.insert(turn, 0);
            return (turn.prompt, self.more(turn));
        };
        let part = PART.min(turn.says - said);
        self.said.insert(turn, said + part);
        (part, self.more(turn))
    }

    /// How much there is left is known to nobody but the model; it tells the next part, and a guess that is right.
    fn more(&mut self, turn: Turn) -> Option<More> {
        let left = turn.says - self.said[&turn];
        let cost = PART.min(left);
        (left > 0).then_some(More { cost, rest: left - cost }).or_else(|| {
            self.said.remove(&turn);
            None
        })
    }
}

fn asking(tenant: u64, deadline: Duration, turn: Turn) -> Asking {
    Asking { tenant: Tenant(tenant), deadline, cost: turn.prompt, rest: turn.says }
}

/// A queue before one model, one request in a pass, as everything takes what it costs.
struct Desk {
    requests: Requests<Turn, u64>,
    model: Model,
    now: Duration,
    /// What each tenant got.
    served: BTreeMap<u64, u64>,
    asked: usize,
}

impl Desk {
    fn new() -> Self {
        let settings =
            RequestSettings { unanswered_max: 1_000, quantum: QUANTUM, ..RequestSettings::default() };
        let (requests, model) = (Requests::new(settings), Model::default());
        let mut desk = Self { requests, model, now: Duration::ZERO, served: BTreeMap::new(), asked: 0 };
        // One that is measured.
        desk.ask(99, NEVER, 10, 0).expect("room");
        desk.pass();
        desk.served.clear();
        desk
    }

    fn turn(&mut self, prompt: u32, says: u32) -> Turn {
        self.asked += 1;
        Turn { number: self.asked, prompt, says }
    }

    fn ask(&mut self, tenant: u64, deadline: Duration, prompt: u32, says: u32) -> Result<Ask, Declined> {
        let turn = self.turn(prompt, says);
        let granted = self.requests.ask(asking(tenant, deadline, turn), vec![(turn, tenant)], self.now)?;
        assert!(granted.displaced.is_empty());
        Ok(granted.asks[0])
    }

    /// One pass: whose it was, where it came to an end, and who was late.
    fn pass(&mut self) -> (Option<u64>, Vec<u64>) {
        let Taken { late, dropped, pass } = self.requests.take(self.now);
        for turn in dropped {
            self.model.said.remove(&turn);
        }
        let Some((pass, turns)) = pass else { return (None, late) };
        let (cost, more) = self.model.step(*turns[0]);
        self.now += ms(u64::from(cost));
        let told = self.requests.finish_some(pass, &[more], self.now).concat();
        (told.first().copied(), late)
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Ask { tenant: u64, prompt: u32, says: u32, within_ms: u64 },
    Cancel(usize),
    Take,
    Finish,
    Abandon,
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0_u64..3, 1_u32..=20, 0_u32..150, 0_u64..4_000).prop_map(|(tenant, prompt, says, within_ms)| {
            Act::Ask { tenant, prompt, says, within_ms }
        }),
        1 => (0_usize..50).prop_map(Act::Cancel),
        4 => Just(Act::Take),
        4 => Just(Act::Finish),
        1 => Just(Act::Abandon),
        1 => (0_u64..300).prop_map(Act::Wait),
    ]
}

proptest! {
    /// Whoever asks for little waits for a turn of each, not for the end of what is under way.
    #[test]
    fn short_requests_wait_for_no_long_one(
        long in prop::collection::vec((1_u32..=PROMPT_MAX, 20_u32..800), 30),
        others in 1_u64..5,
        short in 1_u32..=4,
    ) {
        let mut desk = Desk::new();
        let mut lengths = long.iter().copied().cycle();
        let mut ask = |desk: &mut Desk, tenant| {
            let (prompt, says) = lengths.next().unwrap_or((1, 1));
            desk.ask(tenant, NEVER, prompt, says).expect("room");
        };
        // Tenant 0 is greedy; the others always have one that waits beside one in hand.
        for tenant in (0..40).map(|_| 0).chain((1..=others).flat_map(|tenant| [tenant; 2])) {
            ask(&mut desk, tenant);
        }
        let dearest = u64::from(PROMPT_MAX.max(PART));
        let longest = ms((others + 1) * (u64::from(QUANTUM) + dearest) + dearest);
        let (mut short_since, mut shorts) = (None, 0);
        for _ in 0..1_500 {
            if short_since.is_none() {
                desk.ask(50, NEVER, short, 0).expect("room");
                short_since = Some(desk.now);
            }
            match desk.pass().0 {
                Some(50) => {
                    let waited = desk.now - short_since.take().expect("it was asked for");
                    prop_assert!(waited <= longest, "{waited:?} of {longest:?}");
                    shorts += 1;
                }
                Some(tenant) => ask(&mut desk, tenant),
                None => {}
            }
        }
        prop_assert!(shorts > 20, "{shorts}");
    }

    /// However many a tenant asks for and however long they are, in tokens it gets what the others get.
    #[test]
    fn a_greedy_tenant_gets_no_more_tokens_than_another(
        long in prop::collection::vec((1_u32..=PROMPT_MAX, 20_u32..800), 30),
        others in 1_u64..5,
    ) {
        let mut desk = Desk::new();
        let mut lengths = long.iter().copied().cycle();
        let mut waiting: BTreeMap<u64, usize> = (0..=others).map(|tenant| (tenant, 0)).collect();
        let mut of = BTreeMap::new();
        for _ in 0..1_500 {
            for (tenant, count) in &mut waiting {
                while *count < if *tenant == 0 { 40 } else { 2 } {
                    let (prompt, says) = lengths.next().unwrap_or((1, 1));
                    desk.ask(*tenant, NEVER, prompt, says).expect("room");
                    of.insert(desk.asked, *tenant);
                    *count += 1;
                }
            }
            let (pass, turns) = desk.requests.take(desk.now).pass.expect("it waits");
            let (cost, more) = desk.model.step(*turns[0]);
            *desk.served.entry(of[&turns[0].number]).or_default() += u64::from(cost);
            desk.now += ms(u64::from(cost));
            for tenant in desk.requests.finish_some(pass, &[more], desk.now).concat() {
                *waiting.entry(tenant).or_default() -= 1;
            }
        }
        let most = desk.served.values().max().copied().unwrap_or(0);
        let least = waiting.keys().map(|tenant| desk.served.get(tenant).copied().unwrap_or(0)).min().unwrap_or(0);
        prop_assert!(most - least <= u64::from(QUANTUM + 2 * PROMPT_MAX), "{:?}", desk.served);
    }

    /// Whoever is refused would have come to their end too late, and whoever is taken comes to it in time, give or take
    /// a turn of each other tenant.
    #[test]
    fn admission_refuses_what_can_t_end_in_time(
        asked in prop::collection::vec((0_u64..4, 1_u32..=60, 0_u32..4_000), 1..12),
        begun in 0_usize..20,
        prompt in 1_u32..=60,
        says in 1_u32..4_000,
        urgent in any::<bool>(),
    ) {
        let mut desk = Desk::new();
        for (tenant, prompt, says) in &asked {
            desk.ask(*tenant, NEVER, *prompt, *says).expect("room");
        }
        for _ in 0..begun {
            desk.pass();
        }
        // While one is in hand, as it mostly is.
        let in_hand = desk.requests.take(desk.now).pass;
        let turn = desk.turn(prompt, says);
        // Before all others of its tenant, or after them.
        let deadline = if urgent { NEVER - ms(1) } else { NEVER };
        let told = desk.requests.wait(asking(0, deadline, turn), desk.now);
        let soonest = desk.now + desk.requests.wait(asking(0, NEVER - ms(1), turn), desk.now);
        prop_assert!(desk.ask(0, soonest - ms(1), prompt, says).is_err());
        let started = desk.now;
        desk.requests.ask(asking(0, deadline, turn), vec![(turn, 77)], desk.now).expect("room");
        if let Some((pass, turns)) = in_hand {
            let (cost, more) = desk.model.step(*turns[0]);
            desk.now += ms(u64::from(cost));
            desk.requests.finish_some(pass, &[more], desk.now);
        }
        while desk.pass().0 != Some(77) {}
        let waited = desk.now - started;
        let slack = ms(4 * u64::from(QUANTUM + 2 * 60 + PART));
        prop_assert!(told <= waited + slack && waited <= told + slack, "told {told:?}, waited {waited:?}");
    }

    /// Whatever happens between the parts, everybody is told once; nothing is begun after its deadline; what was begun and
    /// is wanted by nobody is handed back once, to be forgotten, and nothing else is.
    #[test]
    fn everybody_is_told_once_and_what_nobody_wants_is_forgotten(
        acts in prop::collection::vec(act(), 1..300),
        batch_max in 1_usize..4,
    ) {
        let settings = RequestSettings { unanswered_max: 12, batch_max, quantum: QUANTUM, ..RequestSettings::default() };
        let mut requests: Requests<Turn, usize> = Requests::new(settings);
        let (mut model, mut now, mut number) = (Model::default(), ms(0), 0);
        let (mut told, mut asks, mut deadlines) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
        let mut in_hand: Option<(u64, Vec<Turn>)> = None;
        let rounds = [Act::Take, Act::Finish].into_iter().cycle().take(2_000);
        for act in acts.into_iter().chain(rounds) {
            match act {
                Act::Ask { tenant, prompt, says, within_ms } => {
                    let turn = Turn { number, prompt, says };
                    let deadline = now + ms(within_ms);
                    if let Ok(granted) = requests.ask(asking(tenant, deadline, turn), vec![(turn, number)], now) {
                        asks.push((granted.asks[0], number));
                        deadlines.insert(number, deadline);
                        granted.displaced.into_iter().for_each(|who| assert!(told.insert(who), "{who} twice"));
                        number += 1;
                    }
                }
                Act::Cancel(which) => if let Some((ask, who)) = which.checked_rem(asks.len()).map(|at| asks[at]) {
                    let cancelled = requests.cancel(ask);
                    prop_assert!(cancelled.is_none_or(|cancelled| cancelled == who));
                    prop_assert_eq!(cancelled.is_some(), told.insert(who));
                },
                Act::Take => if in_hand.is_none() {
                    let taken = requests.take(now);
                    for who in taken.late {
                        prop_assert!(deadlines[&who] < now && told.insert(who));
                    }
                    for turn in taken.dropped {
                        prop_assert!(told.contains(&turn.number), "somebody waits for it");
                        prop_assert!(model.said.remove(&turn).is_some(), "it was not begun, or handed back twice");
                    }
                    in_hand = taken.pass.map(|(pass, turns)| (pass, turns.iter().map(|turn| **turn).collect()));
                    for turn in in_hand.iter().flat_map(|(_, turns)| turns) {
                        prop_assert!(!told.contains(&turn.number) && deadlines[&turn.number] >= now);
                    }
                },
                Act::Finish => if let Some((pass, turns)) = in_hand.take() {
                    let steps: Vec<_> = turns.iter().map(|turn| model.step(*turn)).collect();
                    now += ms(steps.iter().map(|(cost, _)| u64::from(*cost)).sum());
                    let more: Vec<_> = steps.iter().map(|(_, more)| *more).collect();
                    for (turn, (who, more)) in turns.iter().zip(requests.finish_some(pass, &more, now).iter().zip(more)) {
                        prop_assert!(more.is_none() || who.is_empty(), "it goes on");
                        prop_assert!(who.iter().all(|who| *who == turn.number && told.insert(*who)));
                    }
                },
                Act::Abandon => if let Some((pass, turns)) = in_hand.take() {
                    // The model of a pass that hangs is gone.
                    for turn in &turns {
                        model.said.remove(turn);
                    }
                    prop_assert!(requests.abandon(pass).into_iter().all(|who| told.insert(who)));
                },
                Act::Wait(millis) => now += ms(millis),
            }
            prop_assert!(model.said.len() <= 12 + batch_max, "no more is remembered than is unanswered");
        }
        prop_assert_eq!((requests.unanswered(), told.len(), model.said.len()), (0, number, 0));
    }
}

#[test]
fn what_is_cancelled_between_its_parts_is_forgotten_at_once() {
    let mut desk = Desk::new();
    let talk = desk.ask(1, NEVER, 100, 300).expect("room");
    desk.pass();
    desk.pass();
    assert_eq!(desk.model.said.len(), 1);
    assert_eq!(desk.requests.cancel(talk), Some(1));
    assert_eq!(desk.requests.unanswered(), 0);
    assert_eq!(desk.requests.due(desk.now), crate::batching::Due::Now, "to forget it");
    assert_eq!((desk.pass(), desk.model.said.len()), ((None, vec![]), 0));
    assert_eq!(desk.requests.due(desk.now), crate::batching::Due::Nothing);
}

#[test]
fn a_deadline_that_passes_between_two_parts_is_told_and_the_rest_is_not_worked_out() {
    let mut desk = Desk::new();
    // Taken in, for it says to want little.
    let turn = desk.turn(10, 500);
    let deadline = desk.now + ms(100);
    let asking = Asking { tenant: Tenant(1), deadline, cost: 10, rest: 20 };
    desk.requests.ask(asking, vec![(turn, 1)], desk.now).expect("it would end in time");
    let mut passes = 0;
    while desk.requests.unanswered() > 0 {
        let (over, late) = desk.pass();
        passes += 1;
        assert!(over.is_none() && (late.is_empty() || late == [1]));
    }
    assert_eq!((passes, desk.model.said.len()), (5, 0), "10 and three times 32 tokens, and the time is up");
    assert!(desk.requests.ask(asking, vec![(turn, 1)], desk.now).is_err());
}
