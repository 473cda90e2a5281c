//! Keys pressed on the telephone.

use super::state::Asked;
use super::turn::Turn;
use super::{contact, repair, respond, transfer};

/// Keys: a telephone number, 1 for yes and 2 for no, an offer by its place, 0 for a person.
pub(crate) fn pressed(turn: &mut Turn<'_, '_>, keys: &str) {
    let digits: String = keys.chars().filter(char::is_ascii_digit).collect();
    let as_number = matches!(turn.state.asked, Asked::Number) || digits.len() >= 7;
    if digits.is_empty() {
        repair::not_understood(turn, None);
    } else if as_number {
        let number = if keys.starts_with("**") { format!("+{digits}") } else { digits };
        turn.state.failures = 0;
        contact::take_digits(turn, &number);
        if turn.state.task.is_none() && turn.state.person.number.is_some() {
            // It was asked for before anything else.
            turn.ask(Asked::Open, "Thank you. What can I do for you?");
        } else {
            respond::advance(turn);
        }
    } else if digits == "0" {
        transfer::to_anybody(turn);
    } else {
        let said = match (&turn.state.asked, digits.as_str()) {
            (Asked::Slot | Asked::WhichBooking, "1") => "the first one",
            (Asked::Slot | Asked::WhichBooking, "2") => "the second one",
            (Asked::Slot | Asked::WhichBooking, "3") => "the third one",
            (
                Asked::OwnNumber
                | Asked::Confirm
                | Asked::OfferMessage(_)
                | Asked::Guess(_)
                | Asked::Offer(_)
                | Asked::AnythingElse,
                "1",
            ) => "yes",
            (
                Asked::OwnNumber
                | Asked::Confirm
                | Asked::OfferMessage(_)
                | Asked::Guess(_)
                | Asked::Offer(_)
                | Asked::AnythingElse,
                "2",
            ) => "no",
            _ => return repair::not_understood(turn, None),
        };
        respond::hear(turn, said, 1.0, None);
    }
}
