//! Random schedules of joining, pushing, cancelling and leaving, against a model that keeps state per slot.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use crate::batching::{Batch, Due, Outcome, Overload, Schedule, ScheduleSettings, Tenant, Ticket};

/// Sums up its inputs, slot by slot, and says after each the sum so far and who it thinks it heard.
pub(super) struct Adder {
    pub(super) sums: Vec<u64>,
}

impl Adder {
    pub(super) fn step(&mut self, batch: &Batch<u64>) -> Vec<u64> {
        for slot in &batch.resets {
            self.sums[*slot] = 0;
        }
        let mut seen = std::collections::BTreeSet::new();
        let row = |planned: &crate::batching::Planned<u64>| {
            assert!(seen.insert(planned.ticket.slot), "two rows of a slot in one step");
            let sum = &mut self.sums[planned.ticket.slot];
            *sum += planned.input;
            *sum
        };
        batch.rows.iter().map(row).collect()
    }
}

/// What a stream pushed since its ticket was made, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Solo {
    pub(super) pushed: Vec<u64>,
    pub(super) told: Vec<u64>,
}

impl Solo {
    /// The outputs it must have had: sums of its own inputs and of nothing else.
    pub(super) fn is_alone(&self) -> bool {
        let mut sum = 0;
        let sums = self.pushed.iter().map(|input| {
            sum += input;
            sum
        });
        self.told.iter().copied().eq(sums.take(self.told.len()))
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Join(u64),
    Push(usize),
    Cancel(usize),
    Leave(usize),
    Begin,
    End,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (0_u64..4).prop_map(Act::Join),
        8 => any::<usize>().prop_map(Act::Push),
        1 => any::<usize>().prop_map(Act::Cancel),
        1 => any::<usize>().prop_map(Act::Leave),
        4 => Just(Act::Begin),
        4 => Just(Act::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_stream_hears_only_itself(slots in 1_usize..6, rows in 1_usize..6, acts in prop::collection::vec(act(), 1..400)) {
        let mut schedule = Schedule::new(slots, ScheduleSettings { waiting_max: 4, ..ScheduleSettings::default() });
        schedule.limit_rows(rows);
        let mut model = Adder { sums: vec![999; slots] };
        let mut live: Vec<Ticket> = Vec::new();
        let mut solos: BTreeMap<Ticket, Solo> = BTreeMap::new();
        let mut under_way: Option<Batch<u64>> = None;
        for (number, act) in acts.into_iter().enumerate() {
            let now = Duration::from_millis(number as u64);
            match act {
                Act::Join(tenant) => {
                    let joined = schedule.join(Tenant(tenant), 1);
                    prop_assert_eq!(joined.is_some(), live.len() < slots);
                    live.extend(joined);
                }
                Act::Push(which) if !live.is_empty() => {
                    let ticket = live[which % live.len()];
                    let input = 1 + number as u64;
                    if schedule.push(ticket, input, now, now).is_ok() {
                        solos.entry(ticket).or_default().pushed.push(input);
                    }
                }
                Act::Cancel(which) if !live.is_empty() => {
                    let place = which % live.len();
                    let renewed = schedule.cancel(live[place]).expect("it is there");
                    prop_assert!(renewed != live[place] && schedule.cancel(live[place]).is_none());
                    live[place] = renewed;
                }
                Act::Leave(which) if !live.is_empty() => {
                    let ticket = live.swap_remove(which % live.len());
                    schedule.leave(ticket);
                    prop_assert_eq!(schedule.push(ticket, 1, now, now), Err(1));
                }
                Act::Begin if under_way.is_none() => {
                    let batch = schedule.batch();
                    prop_assert!(batch.rows.len() <= rows);
                    under_way = Some(batch);
                }
                Act::End => {
                    let Some(batch) = under_way.take() else { continue };
                    let outputs = model.step(&batch);
                    for ((ticket, outcome), output) in schedule.finish(now).into_iter().zip(outputs) {
                        match outcome {
                            Outcome::Deliver { .. } => {
                                prop_assert!(live.contains(&ticket), "told a stream that is gone");
                                solos.entry(ticket).or_default().told.push(output);
                            }
                            Outcome::Nobody => prop_assert!(!live.contains(&ticket)),
                            Outcome::Known => prop_assert!(false, "nothing was given again"),
                        }
                    }
                }
                _ => {}
            }
        }
        // Whoever is still there hears the rest.
        let mut now = Duration::from_secs(1_000);
        if let Some(batch) = under_way.take() {
            let outputs = model.step(&batch);
            note(&mut solos, schedule.finish(now), outputs);
        }
        while schedule.due(now) != Due::Nothing {
            now += Duration::from_millis(10);
            let batch = schedule.batch();
            let outputs = model.step(&batch);
            note(&mut solos, schedule.finish(now), outputs);
        }
        for (ticket, solo) in &solos {
            prop_assert!(solo.is_alone(), "{ticket:?}: {solo:?}");
            if live.contains(ticket) {
                prop_assert_eq!(solo.told.len(), solo.pushed.len(), "{:?} starved", ticket);
            }
        }
    }
}

fn note(solos: &mut BTreeMap<Ticket, Solo>, outcomes: Vec<(Ticket, Outcome)>, outputs: Vec<u64>) {
    for ((ticket, outcome), output) in outcomes.into_iter().zip(outputs) {
        if matches!(outcome, Outcome::Deliver { .. }) {
            solos.entry(ticket).or_default().told.push(output);
        }
    }
}

#[test]
fn rows_wait_for_each_other_but_not_for_long() {
    let mut schedule = Schedule::new(8, ScheduleSettings::default());
    let tickets: Vec<_> = (0..4).map(|_| schedule.join(Tenant(1), 1).expect("free")).collect();
    let at = Duration::from_millis;
    assert_eq!(schedule.due(at(0)), Due::Nothing);
    schedule.push(tickets[0], 1, at(100), at(180)).expect("room");
    assert_eq!(schedule.due(at(100)), Due::At(at(108)));
    assert_eq!(schedule.due(at(108)), Due::Now);
    schedule.push(tickets[1], 1, at(101), at(181)).expect("room");
    assert_eq!(schedule.due(at(101)), Due::Now, "half of the streams are ready");
    schedule.leave(tickets[0]);
    schedule.leave(tickets[1]);
    assert_eq!(schedule.due(at(200)), Due::Nothing);
}

#[test]
fn a_full_stream_refuses_or_forgets_its_oldest_as_told() {
    let now = Duration::ZERO;
    for (overload, kept) in [(Overload::Refuse, vec![1, 2]), (Overload::DropOldest, vec![2, 3])] {
        let settings = ScheduleSettings { waiting_max: 2, overload, ..ScheduleSettings::default() };
        let mut schedule = Schedule::new(1, settings);
        let ticket = schedule.join(Tenant(1), 1).expect("free");
        let pushed: Vec<_> = (1..=3_u64).map(|input| schedule.push(ticket, input, now, now)).collect();
        let refuses = overload == Overload::Refuse;
        assert_eq!(pushed[2], if refuses { Err(3) } else { Ok(Some(1)) });
        let mut given = Vec::new();
        while schedule.due(Duration::from_secs(1)) != Due::Nothing {
            given.extend(schedule.batch().rows.into_iter().map(|row| row.input));
            schedule.finish(now);
        }
        assert_eq!(given, kept);
    }
}

#[test]
fn a_flood_of_one_tenant_leaves_the_other_its_row_in_every_step() {
    let mut schedule = Schedule::new(65, ScheduleSettings { quantum: 4, ..ScheduleSettings::default() });
    schedule.limit_rows(16);
    let flood: Vec<_> = (0..64).map(|_| schedule.join(Tenant(1), 1).expect("free")).collect();
    let victim = schedule.join(Tenant(2), 1).expect("free");
    let mut steps_without = 0;
    for number in 0..200_u64 {
        let now = Duration::from_millis(number);
        for ticket in &flood {
            schedule.push(*ticket, 1, now, now).ok();
        }
        schedule.push(victim, 1, now, now + Duration::from_secs(1)).ok();
        let served = schedule.batch().rows.iter().any(|row| row.ticket == victim);
        schedule.finish(now);
        steps_without += u32::from(!served);
    }
    assert!(steps_without <= 1, "{steps_without} of 200 steps without the other tenant");
}
