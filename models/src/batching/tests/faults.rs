//! Steps that fail: nobody but the culprit loses anything that is still held.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::schedules::{Adder, Solo};
use crate::batching::{Due, Outcome, Schedule, ScheduleSettings, Tenant, Ticket};

/// An input that no step survives.
const POISON: u64 = 666_666;

struct Run {
    schedule: Schedule<u64>,
    model: Adder,
    solos: BTreeMap<Ticket, Solo>,
    ended: Vec<Ticket>,
    failures: usize,
    now: Duration,
}

impl Run {
    fn new(slots: usize, held_max: usize) -> Self {
        let settings = ScheduleSettings { held_max, waiting_max: 64, ..ScheduleSettings::default() };
        Self {
            schedule: Schedule::new(slots, settings),
            model: Adder { sums: vec![999; slots] },
            solos: BTreeMap::new(),
            ended: Vec::new(),
            failures: 0,
            now: Duration::ZERO,
        }
    }

    fn push(&mut self, ticket: Ticket, input: u64) {
        if self.schedule.push(ticket, input, self.now, self.now).is_ok() {
            self.solos.entry(ticket).or_default().pushed.push(input);
        }
    }

    fn step(&mut self, breaks: bool, names: bool) {
        self.now += Duration::from_millis(20);
        let batch = self.schedule.batch();
        let poisoned: Vec<usize> =
            batch.rows.iter().filter(|row| row.input == POISON).map(|row| row.ticket.slot).collect();
        if breaks || !poisoned.is_empty() {
            self.failures += 1;
            self.model.sums.fill(999);
            let culprits = if names { poisoned } else { Vec::new() };
            self.ended.extend(self.schedule.fail(&culprits, self.now).ended);
            return;
        }
        let outputs = self.model.step(&batch);
        for ((ticket, outcome), output) in self.schedule.finish(self.now).into_iter().zip(outputs) {
            if matches!(outcome, Outcome::Deliver { .. }) {
                self.solos.entry(ticket).or_default().told.push(output);
            }
        }
    }

    fn drain(&mut self, names: bool) {
        for _ in 0..100_000 {
            if self.schedule.due(self.now + Duration::from_secs(1)) == Due::Nothing {
                return;
            }
            self.step(false, names);
        }
        panic!("the schedule goes in circles");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Breakdowns at any step, one poisoned stream: all others hear exactly what they would have heard alone.
    #[test]
    fn a_breakdown_costs_nobody_an_output(
        streams in 1_usize..40,
        names in any::<bool>(),
        poison in prop::option::of((0_usize..40, 0_usize..10)),
        breaks in prop::collection::vec(prop::bool::weighted(0.1), 10),
    ) {
        let mut run = Run::new(streams, 1_000);
        let tickets: Vec<_> = (0..streams).map(|number| {
            run.schedule.join(Tenant(number as u64 % 3), 1).expect("free")
        }).collect();
        let mut breaks = breaks.into_iter();
        let mut broken = 0;
        for round in 0..10_usize {
            for (number, ticket) in tickets.iter().enumerate() {
                let poisoned = poison.is_some_and(|(stream, at)| stream == number && at == round);
                run.push(*ticket, if poisoned { POISON } else { (number + round) as u64 });
            }
            let breaks = breaks.next().unwrap_or(false);
            broken += usize::from(breaks);
            run.step(breaks, names);
            run.drain(names);
        }
        let poisoned = poison.filter(|(stream, _)| *stream < streams).map(|(stream, _)| tickets[stream]);
        prop_assert_eq!(&run.ended, &poisoned.into_iter().collect::<Vec<_>>());
        for (ticket, solo) in &run.solos {
            prop_assert!(solo.is_alone(), "{:?}: {:?}", ticket, solo);
            if Some(*ticket) != poisoned {
                prop_assert_eq!(solo.told.len(), solo.pushed.len());
            }
        }
        // Groups shrink to a quarter each time, and the last one has a second chance.
        prop_assert!(run.failures <= 6 + broken, "{} failures to find one culprit", run.failures);
    }
}

#[test]
fn a_stream_is_told_what_could_not_be_given_again() {
    let mut run = Run::new(2, 3);
    let tickets: Vec<_> = (0..2).map(|_| run.schedule.join(Tenant(1), 1).expect("free")).collect();
    for round in 0..5 {
        run.push(tickets[0], round);
        run.drain(false);
    }
    let reprimed = run.schedule.start_again(run.now);
    let forgotten: Vec<_> = reprimed.iter().map(|stream| stream.forgotten).collect();
    assert_eq!(forgotten, [2, 0]);
    assert_eq!(run.schedule.backlog(tickets[0]), 3);
    run.model.sums.fill(999);
    run.drain(false);
    assert_eq!(run.solos[&tickets[0]].told.len(), 5, "what is given again is not told again");
}

#[test]
fn ending_all_frees_all() {
    let mut run = Run::new(3, 3);
    let first = run.schedule.join(Tenant(1), 1).expect("free");
    run.push(first, 1);
    let batch = run.schedule.batch();
    assert_eq!(run.schedule.end_all(), [first]);
    let second = run.schedule.join(Tenant(1), 1).expect("free");
    assert_eq!((batch.rows.len(), second.slot), (1, first.slot));
    assert_eq!(run.schedule.finish(run.now), [(first, Outcome::Nobody)]);
}
