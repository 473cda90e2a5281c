//! Who calls and where to reach them: asked for, heard, corrected, read back.

use super::heard::Heard;
use super::parse::{digits, name, spelling};
use super::say;
use super::state::Asked;
use super::turn::Turn;
use crate::types::{Contact, PhoneNumber, Private};

/// Fewer digits are the beginning of a number: with a trunk zero or a country code before it, more are due.
const fn digits_min(start: u8) -> usize {
    match start {
        b'0' => 10,
        b'+' => 9,
        _ => 7,
    }
}
/// So often is a name or number asked for; then it is left out.
const ATTEMPTS_MAX: u32 = 2;

/// Takes in what the utterance says about the caller. Whether it said anything new.
pub(crate) fn fill(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    if let Some(address) = &heard.email {
        turn.state.person.email = Some(Private::new(address.clone()));
    }
    // Both, whichever comes first.
    let number = fill_number(turn, heard);
    let named = fill_name(turn, heard, number);
    number || named
}

fn fill_name(turn: &mut Turn<'_, '_>, heard: &Heard, number_given: bool) -> bool {
    let correcting = matches!(
        turn.state.asked,
        Asked::Confirm | Asked::WhatToChange | Asked::OwnNumber | Asked::Number | Asked::Name
    );
    let current = turn.state.person.name.as_ref().map(|name| name.reveal().clone());
    if let (Some(current), true) = (&current, correcting && !number_given) {
        if let Some(edited) = heard.edit.as_ref().and_then(|edit| spelling::apply(current, edit)) {
            turn.state.person.name = Some(Private::new(edited));
            return true;
        }
        let spelled =
            spelling::longest(&heard.words).filter(|_| heard.name.is_none() && heard.number.is_none());
        if let Some((spelled, ..)) = spelled {
            let mut parts: Vec<String> = current.split(' ').map(str::to_owned).collect();
            name::respell(&mut parts, &spelled);
            let respelled = parts.join(" ");
            let new = &respelled != current;
            turn.state.person.name = Some(Private::new(respelled));
            return new;
        }
    }
    let expected = matches!(turn.state.asked, Asked::Name);
    let fallback = || {
        let few = (1..=3).contains(&heard.words.len()) && heard.answer.is_none() && heard.intents.is_empty();
        let like_a_name =
            heard.words.iter().any(name::may_be_name) && !heard.words.any(0, &["the", "a", "an", "any"]);
        let plain = like_a_name
            && heard.words.iter().all(|word| word.chars().all(|c| c.is_alphabetic() || c == '\''))
            && !heard.is_question();
        (expected && few && plain && !number_given).then(|| heard.words.text(0, heard.words.len()))
    };
    let found = heard.name.as_ref().map(|named| named.name.clone()).or_else(fallback);
    match found {
        Some(found) if Some(&found) != current.as_ref() => {
            // "Taylor" after "Sam Taylor" says nothing new, unless it was asked for.
            let part = current.as_ref().is_some_and(|current| current.split(' ').any(|word| word == found));
            if part && !expected {
                return false;
            }
            turn.state.person.name = Some(Private::new(found));
            turn.state.person.name_failures = 0;
            true
        }
        _ => false,
    }
}

fn fill_number(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    if let (Some(correction), Some(number)) = (&heard.correction, turn.state.person.number.clone()) {
        let corrected = digits::correct(number.reveal().as_str(), correction);
        if let Some(corrected) = corrected.as_deref().and_then(PhoneNumber::parse) {
            turn.state.person.number = Some(Private::new(corrected));
            return true;
        }
    }
    if heard.words.has_any(&[
        "different number",
        "another number",
        "other number",
        "not that number",
        "new number",
    ]) {
        turn.state.person.other_number = true;
        turn.state.person.number = None;
        if heard.number.is_none() {
            return true;
        }
    }
    if let Some(given) = &heard.number {
        return take_digits(turn, given);
    }
    match (&turn.state.asked, heard.answer) {
        (Asked::OwnNumber, Some(true)) => {
            turn.state.person.number = turn.context.caller.cloned().map(Private::new);
            true
        }
        (Asked::OwnNumber, Some(false)) => {
            turn.state.person.other_number = true;
            true
        }
        (Asked::Number, _)
            if turn.context.caller.is_some()
                && heard.words.has_any(&[
                    "this number",
                    "this one",
                    "calling from",
                    "calling on",
                    "same number",
                ]) =>
        {
            turn.state.person.number = turn.context.caller.cloned().map(Private::new);
            true
        }
        _ => false,
    }
}

/// Digits that were said or pressed. A number may come in parts.
pub(crate) fn take_digits(turn: &mut Turn<'_, '_>, given: &str) -> bool {
    let asked = matches!(turn.state.asked, Asked::Number);
    let partial = if asked { turn.state.person.partial_number.reveal().clone() } else { String::new() };
    let all = format!("{partial}{given}");
    let count = all.bytes().filter(u8::is_ascii_digit).count();
    if count < digits_min(all.bytes().next().unwrap_or_default()) {
        turn.state.person.partial_number = Private::new(all);
        return asked;
    }
    turn.state.person.partial_number = Private::default();
    match PhoneNumber::parse(&all) {
        Some(number) => {
            let new = turn.state.person.number.as_ref().map(Private::reveal) != Some(&number);
            turn.state.person.number = Some(Private::new(number));
            turn.state.person.other_number = false;
            new
        }
        None => false,
    }
}

/// Asks for the name where it is missing. True where it was asked, and the turn is closed.
pub(crate) fn ask_name(turn: &mut Turn<'_, '_>, question: &str) -> bool {
    if turn.state.person.name.is_some() || turn.state.person.name_failures >= ATTEMPTS_MAX {
        return false;
    }
    turn.ask(Asked::Name, question);
    true
}

/// Asks for the number where it is missing. True where it was asked, and the turn is closed.
pub(crate) fn ask_number(turn: &mut Turn<'_, '_>) -> bool {
    let person = &turn.state.person;
    if person.number.is_some() || person.number_failures >= ATTEMPTS_MAX {
        return false;
    }
    if !person.partial_number.reveal().is_empty() {
        let spoken = say::number::telephone(person.partial_number.reveal(), turn.style());
        turn.ask(Asked::Number, format!("I have {spoken}. What's the rest of the number?"));
        return true;
    }
    match turn.context.caller.filter(|_| !person.other_number) {
        Some(caller) => {
            let ending = say::number::ending(caller.as_str(), turn.style());
            turn.ask(
                Asked::OwnNumber,
                format!("Shall I use the number you're calling from, the one that ends in {ending}?"),
            );
        }
        None => turn.ask(Asked::Number, "What's the best number to reach you on?"),
    }
    true
}

/// Takes the caller's own number without asking; it is named in the read-back.
pub(crate) fn assume_own_number(turn: &mut Turn<'_, '_>) {
    let person = &mut turn.state.person;
    if person.number.is_none() && !person.other_number {
        person.number = turn.context.caller.cloned().map(Private::new);
    }
}

/// Counts that the name or number that was asked for did not come.
pub(crate) fn missed(turn: &mut Turn<'_, '_>) {
    match turn.state.asked {
        Asked::Name => turn.state.person.name_failures += 1,
        Asked::Number => turn.state.person.number_failures += 1,
        _ => {}
    }
}

/// The caller as a record keeps them.
pub(crate) fn contact(turn: &Turn<'_, '_>) -> Contact {
    let person = &turn.state.person;
    Contact {
        name: person.name.as_ref().map(|name| Private::new(name::display(name.reveal()))),
        number: person.number.clone(),
    }
}

/// The caller's name as spoken.
pub(crate) fn spoken_name(turn: &Turn<'_, '_>) -> Option<String> {
    turn.state.person.name.as_ref().map(|name| name::display(name.reveal()))
}

/// Whether the number given is the one that calls.
pub(crate) fn is_own_number(turn: &Turn<'_, '_>) -> bool {
    turn.state.person.number.as_ref().map(Private::reveal) == turn.context.caller
}
