//! Moving an appointment to another time.

use super::state::{Asked, Change, Done, Pending, Task};
use super::turn::Turn;
use super::{book, change, choose, message, say};
use crate::types::{Booking, Heading, Slot, ToolCall, ToolOutcome};

/// The next step, once it is known which one. Closes the turn.
pub(crate) fn advance(turn: &mut Turn<'_, '_>, mut change: Change, booking: &Booking) {
    change.choosing.rather = Some(booking.slot.resource.clone());
    let current = say::slots::brief(turn.local(booking.slot.start), turn.now(), turn.style());
    let question = format!(
        "I have your appointment for {} {current}. When would you like to come instead?",
        book::described(turn, &booking.slot)
    );
    let slot = choose::advance(turn, &mut change.choosing, &booking.slot.service, &question);
    turn.state.task = Some(Task::Change(change));
    if let Some(slot) = slot {
        let what = book::described(turn, &slot);
        let to = say::slots::certain(turn.local(slot.start), turn.now(), turn.style());
        turn.ask(
            Asked::Confirm,
            format!("So I'll move {what} from {} to {}. Shall I do that?", strip_on(&current), strip_on(&to)),
        );
    }
}

fn strip_on(when: &str) -> &str {
    when.strip_prefix("on ").unwrap_or(when)
}

/// The caller has agreed.
pub(crate) fn confirmed(turn: &mut Turn<'_, '_>, change: Change) {
    let (Some(booking), Some(slot)) = (change.chosen, change.choosing.slot.clone()) else {
        change::advance(turn, change);
        return;
    };
    turn.state.task = Some(Task::Change(change));
    turn.tool(
        Pending::Move(slot.clone()),
        ToolCall::Move { booking, to: slot },
        "One moment, I'm moving it for you.",
    );
}

/// The calendar has answered the search for a new time.
pub(crate) fn found(turn: &mut Turn<'_, '_>, mut change: Change, slots: Vec<Slot>) {
    let Some(service) = change.booking().map(|booking| booking.slot.service.clone()) else {
        change::advance(turn, change);
        return;
    };
    if choose::found(turn, &mut change.choosing, &service, slots) {
        change::advance(turn, change);
    } else {
        turn.state.task = Some(Task::Change(change));
    }
}

/// The calendar has answered the move to `slot`.
pub(crate) fn answered(turn: &mut Turn<'_, '_>, mut change: Change, slot: &Slot, outcome: ToolOutcome) {
    match outcome {
        ToolOutcome::Moved { booking } => {
            let full = book::in_full(turn, &booking.slot);
            turn.about(Heading::Moved);
            turn.did(Done::Moved(booking.slot));
            turn.say(format!("That's moved. You now have {full}."));
            turn.anything_else();
        }
        ToolOutcome::SlotTaken { alternatives } => {
            turn.say("I'm sorry, somebody has just taken that time.");
            if choose::offer_alternatives(turn, &mut change.choosing, alternatives) {
                turn.state.task = Some(Task::Change(change));
            } else {
                change.choosing.wanted.times.clear();
                change::advance(turn, change);
            }
        }
        ToolOutcome::Refused { why } => {
            turn.say(format!("I'm sorry, I can't move it there: {}.", why.trim_end_matches('.')));
            change.choosing.reset();
            change.choosing.wanted = super::wanted::Wanted::default();
            turn.state.task = Some(Task::Change(change));
            turn.ask(Asked::When, "Is there another day or time that would suit you?");
        }
        ToolOutcome::NotFound => {
            turn.say("I'm sorry, that appointment seems to have been cancelled already.");
            turn.anything_else();
        }
        ToolOutcome::Unknown { .. } => {
            let full = change::noted(turn, slot);
            turn.say(format!(
                "I've requested the move to {full}. We'll confirm it with you as soon as we can."
            ));
            turn.did(Done::Requested(slot.clone()));
            message::leave_note(
                turn,
                format!(
                    "Requested a move to {full}; the calendar did not confirm it. Please check and confirm with the caller."
                ),
            );
        }
        _ => {
            let full = change::noted(turn, slot);
            turn.say("I'm sorry, I can't reach the calendar just now, so nothing has changed yet. I'll leave a message so that somebody can call you back.");
            message::leave_note(
                turn,
                format!("Would like to move their appointment to {full}. The calendar could not be reached."),
            );
        }
    }
}
