//! Cancelling an appointment.

use super::state::{Asked, Change, Done, Pending, Task};
use super::turn::Turn;
use super::{book, change, message};
use crate::types::{Booking, Heading, ToolCall, ToolOutcome};

/// The next step, once it is known which one. Closes the turn.
pub(crate) fn advance(turn: &mut Turn<'_, '_>, change: Change, booking: &Booking) {
    let full = book::in_full(turn, &booking.slot);
    turn.state.task = Some(Task::Change(change));
    turn.ask(Asked::Confirm, format!("You have {full}. Shall I cancel it?"));
}

/// The caller has agreed.
pub(crate) fn confirmed(turn: &mut Turn<'_, '_>, change: Change) {
    let Some(booking) = change.chosen else {
        change::advance(turn, change);
        return;
    };
    turn.state.task = Some(Task::Change(change));
    turn.tool(Pending::Cancel, ToolCall::Cancel { booking }, "One moment, I'm cancelling it for you.");
}

/// The caller would rather keep it.
pub(crate) fn kept(turn: &mut Turn<'_, '_>) {
    turn.say("All right, I'll leave it as it is.");
    turn.anything_else();
}

/// The calendar has answered.
pub(crate) fn answered(turn: &mut Turn<'_, '_>, change: &Change, outcome: ToolOutcome) {
    match outcome {
        ToolOutcome::Cancelled { booking } => {
            turn.about(Heading::Cancelled);
            turn.did(Done::Cancelled(booking.slot));
            turn.say("That's cancelled. Thank you for letting us know.");
            turn.anything_else();
        }
        ToolOutcome::NotFound => {
            turn.say("That appointment seems to have been cancelled already.");
            turn.anything_else();
        }
        ToolOutcome::Refused { why } => {
            turn.say(format!("I'm sorry, I can't cancel it: {}.", why.trim_end_matches('.')));
            message::offer(turn, None);
        }
        outcome => {
            let what = change.booking().map(|booking| change::noted(turn, &booking.slot));
            let what = what.unwrap_or_else(|| "their appointment".to_owned());
            if matches!(outcome, ToolOutcome::Unknown { .. }) {
                turn.say("I've asked for it to be cancelled. We'll confirm it with you as soon as we can.");
                message::leave_note(
                    turn,
                    format!(
                        "Asked to cancel {what}; the calendar did not confirm it. Please check and confirm with the caller."
                    ),
                );
            } else {
                turn.say("I'm sorry, I can't reach the calendar just now, so nothing has changed yet. I'll leave a message so that somebody can call you back.");
                message::leave_note(
                    turn,
                    format!("Would like to cancel {what}. The calendar could not be reached."),
                );
            }
        }
    }
}
