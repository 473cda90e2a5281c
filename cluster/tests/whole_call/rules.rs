//! What holds in every call.

use actors::call::conversation::Effect;
use actors::storage::{Page, Storage};
use actors::types::{Booking, BookingId, CallEventKind, ToolCall, ToolOutcome, ToolStep};
use cluster::sip::dialog::{Ending, Moment, Timing};
use jiff::Timestamp;

use super::call::World;
use crate::telephone::{Entry, Telephone};

pub(super) fn judge(world: &mut World<'_>) {
    let mut broken = std::mem::take(&mut world.violations);
    every_invite_is_answered_once(world, &mut broken);
    nothing_is_left(world, &mut broken);
    if let Some(mut call) = world.call.take() {
        broken.append(&mut call.violations);
        the_conversation_ended_once(&call, &mut broken);
        bookings_are_what_was_said(world, &call, &mut broken);
        world.call = Some(call);
    } else if !world.refused && world.ours.had_call {
        broken.push("the call came in and nobody took it".to_owned());
    }
    world.violations = broken;
}

fn every_invite_is_answered_once(world: &mut World<'_>, broken: &mut Vec<String>) {
    let theirs = &world.theirs;
    let mut sequences: Vec<u32> = theirs.answers.keys().chain(&theirs.timeouts).copied().collect();
    sequences.dedup();
    if !sequences.contains(&1) {
        broken.push("the INVITE had no end".to_owned());
    }
    let mut seen = Vec::new();
    for sequence in sequences {
        let kind = if sequence == 1 { "invite" } else { "re-invite" };
        match theirs.answers.get(&sequence) {
            Some(answers) if answers.len() != 1 => {
                broken.push(format!("INVITE {sequence} has several answers: {answers:?}"));
            }
            Some(answers) => seen.extend(answers.iter().map(|(status, _)| format!("{kind} {status}"))),
            None => seen.push(format!("{kind} timeout")),
        }
    }
    for (sequence, statuses) in &world.ours.given {
        if statuses.len() != 1 {
            broken.push(format!("we answered INVITE {sequence} with {statuses:?}"));
        }
    }
    seen.iter().for_each(|what| world.note(what));
}

/// How long something may take to be forgotten after its end: one transaction, or, before the far side has
/// said that it knows of the call, two.
fn bound(is_up: bool) -> Moment {
    let all = 65 * Timing::default().t1_ms + 100;
    if is_up { all } else { 2 * all }
}

fn nothing_is_left(world: &World<'_>, broken: &mut Vec<String>) {
    let ended = &world.ended;
    let is_up = world.established && world.theirs.extra_sequence == 0;
    let mut sides = vec![("the caller", ended.theirs, ended.theirs_forgotten)];
    if world.ours.had_call {
        sides.push(("we", ended.ours, ended.ours_forgotten));
    }
    for (who, end, forgotten) in sides {
        match (end, forgotten) {
            (Some((end, _)), Some(forgotten)) if forgotten - end > bound(is_up) => {
                broken.push(format!("{who} remembered the call for {} ms", forgotten - end));
            }
            (Some(_), Some(_)) => {}
            _ => broken.push(format!("{who} never ended or forgot the call: {end:?}, {forgotten:?}")),
        }
    }
    if !world.ports.is_empty() {
        broken.push(format!("ports are left: {:?}", world.ports));
    }
    for (who, side) in [("we", &world.ours), ("the caller", &world.theirs)] {
        let left = side.transactions();
        if !left.is_empty() {
            broken.push(format!("{who}: transactions are left: {left:?}"));
        }
    }
    if let (Some(acknowledged), Some((end, _))) = (world.ours.acknowledged_at, ended.ours)
        && acknowledged < end
        && !world.established
    {
        broken.push("an acknowledged call was never established".to_owned());
    }
    // Who is up at one end only is nobody's wish, unless the wire was cut or the ACK never came.
    if let (Some((_, Ending::Local | Ending::Remote)), Some((_, Ending::Refused(status)))) =
        (ended.ours, ended.theirs)
        && world.established
    {
        broken.push(format!("we had a call that the caller was refused with {status}"));
    }
}

fn the_conversation_ended_once(call: &Telephone, broken: &mut Vec<String>) {
    let count = |is: fn(&Effect) -> bool| call.performed.iter().filter(|effect| is(effect)).count();
    for (name, times) in [
        ("Answer", count(|effect| matches!(effect, Effect::Answer))),
        ("HangUp", count(|effect| matches!(effect, Effect::HangUp(_)))),
        ("Record(Ended)", count(|effect| matches!(effect, Effect::Record(CallEventKind::Ended { .. })))),
    ] {
        if times != 1 {
            broken.push(format!("{times} times {name}"));
        }
    }
    if call.conversation.next_deadline().is_some() {
        broken.push("a deadline is left after the end".to_owned());
    }
}

/// The appointments in the store, after all failures.
fn stored(world: &World<'_>) -> Vec<Booking> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let tenant = &world.setting.business.id;
    let all = world.store.bookings(tenant, Timestamp::MIN, Timestamp::MAX, Page::first(1_000));
    runtime.block_on(all).expect("reads work").rows
}

fn bookings_are_what_was_said(world: &mut World<'_>, call: &Telephone, broken: &mut Vec<String>) {
    let stored = stored(world);
    let mut open: Vec<ToolStep> = Vec::new();
    let mut told: Vec<BookingId> = Vec::new();
    for effect in &call.performed {
        match effect {
            Effect::UseTool { step, call: ToolCall::Book { .. } } => open.push(*step),
            Effect::Record(CallEventKind::ToolAnswered { step, outcome, .. }) => match outcome {
                // It may stand there, and the record says that nobody knows.
                ToolOutcome::Unknown { .. } => {}
                ToolOutcome::Booked { booking } => {
                    open.retain(|one| one != step);
                    told.push(booking.id);
                }
                _ => open.retain(|one| one != step),
            },
            _ => {}
        }
    }
    for id in &told {
        if !stored.iter().any(|booking| booking.id == *id) {
            broken.push("what was called booked is not in the store".to_owned());
        }
    }
    let unsaid = stored.iter().filter(|booking| !told.contains(&booking.id)).count();
    if unsaid > open.len() {
        broken.push(format!("{unsaid} bookings that nobody said, of {} that are unknown", open.len()));
    }
    // A thought that is told twice is said twice; of an interrupted sentence there is the beginning alone.
    let mut said: Vec<&str> = Vec::new();
    for entry in &call.log {
        if let Entry::Heard { text, .. } = entry
            && text.starts_with("That's booked")
            && !said.iter().any(|one| one.starts_with(text.as_str()) || text.starts_with(one))
        {
            said.push(text);
        }
    }
    if said.len() > told.len() {
        broken.push("something was called booked that was not acknowledged".to_owned());
    }
    for (name, is_seen) in [("booked", !told.is_empty()), ("booked unsaid", unsaid > 0)] {
        if is_seen {
            world.note(name);
        }
    }
}
