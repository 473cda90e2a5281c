//! When words did not arrive: not understood, not heard, not said, or said too fast.

use super::state::{Asked, Message, Task};
use super::turn::Turn;
use super::{contact, message, question};
use crate::types::EndReason;

/// Nothing could be made of what the caller said. The second time in a row leads to a message.
pub(crate) fn not_understood(turn: &mut Turn<'_, '_>, words: Option<&str>) {
    turn.state.failures += 1;
    if let Some(words) = words {
        turn.state.not_understood = Some(words.to_owned().into());
    }
    let missing_contact = matches!(turn.state.asked, Asked::Name | Asked::Number);
    contact::missed(turn);
    if missing_contact && turn.state.failures >= turn.settings.failures_max {
        // Better a message or an appointment without it than none.
        turn.state.failures = 0;
        turn.say("I'm sorry, I couldn't make that out. Never mind, let's go on without it.");
        super::respond::advance(turn);
        return;
    }
    if turn.state.failures >= turn.settings.failures_max && !matches!(turn.state.task, Some(Task::Message(_)))
    {
        take_message(turn);
        return;
    }
    let open = matches!(turn.state.asked, Asked::Open | Asked::AnythingElse);
    if open {
        turn.say("I'm sorry, I didn't understand that.");
        let abilities = question::abilities(turn);
        turn.say(abilities);
        turn.ask(Asked::Open, "What would you like to do?");
    } else {
        let question = turn.state.question.reveal().clone();
        turn.say("I'm sorry, I didn't catch that.");
        turn.say(question);
        turn.listen();
    }
}

/// What we thought the caller wants is not it, or they did not say. As often in a row as they may not be understood
/// that leads to a message too: true where it did.
pub(crate) fn guessed_wrong(turn: &mut Turn<'_, '_>) -> bool {
    turn.state.failures += 1;
    let lost = turn.state.failures >= turn.settings.failures_max;
    if lost {
        take_message(turn);
    }
    lost
}

fn take_message(turn: &mut Turn<'_, '_>) {
    turn.state.failures = 0;
    turn.say("I'm sorry, I'm still not following. I'll take a message, and somebody will call you back.");
    message::advance(turn, Message::default());
}

/// A question that the profile does not answer.
pub(crate) fn not_known(turn: &mut Turn<'_, '_>, words: &str) {
    turn.state.failures += 1;
    if turn.state.failures >= turn.settings.failures_max {
        turn.state.failures = 0;
        turn.say(
            "I'm afraid I don't know that either. I'll take a message, and somebody will call you back.",
        );
        message::advance(turn, Message::default());
        return;
    }
    turn.state.not_understood = Some(words.to_owned().into());
    turn.say("I'm afraid I don't know that.");
    message::offer(turn, None);
}

/// Says again what was said last.
pub(crate) fn repeat(turn: &mut Turn<'_, '_>, lead: &str) {
    let said = turn.state.said.reveal().clone();
    turn.say(lead);
    let said = if said.is_empty() { question::abilities(turn) } else { said };
    turn.say(said.clone());
    turn.listen();
    // The lead is not part of what a second "pardon?" repeats.
    turn.state.said = said.into();
}

/// The caller says nothing.
pub(crate) fn silence(turn: &mut Turn<'_, '_>, times: u32) {
    let question = turn.state.question.reveal().clone();
    if times >= turn.settings.silences_max {
        turn.say("I can't hear you, so I'll hang up now. Please call again. Goodbye.");
        turn.end(EndReason::Silence);
        return;
    }
    let lead = if times <= 1 { "Are you still there?" } else { "I'm sorry, I can't hear you." };
    let said = turn.state.said.clone();
    turn.say(lead);
    turn.say(question);
    turn.listen();
    turn.state.said = said;
}
