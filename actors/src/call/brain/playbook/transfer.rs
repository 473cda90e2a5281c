//! To a person: by rule, by name, or because the caller asks; outside hours a message instead.

use super::heard::Heard;
use super::normalise::Words;
use super::state::{Asked, Done, Message, Task};
use super::turn::Turn;
use super::{message, say};
use crate::call::brain::Thought;
use crate::types::{Condition, Department, HandOverOutcome, Heading, Urgency};

/// Whether a department takes calls now.
fn is_open(turn: &Turn<'_, '_>, department: &Department) -> bool {
    let hours = department.hours.as_ref().unwrap_or(&turn.business().hours);
    hours.is_open(turn.today(), turn.now().time())
}

/// After the greeting: a caller whom a rule sends on. True where the turn is closed.
pub(crate) fn on_greeting(turn: &mut Turn<'_, '_>) -> bool {
    let Some(caller) = turn.context.caller else { return false };
    let business = turn.business();
    let rule = business.transfer_rules.iter().find(
        |rule| matches!(&rule.when, Condition::CallerIs(numbers) if numbers.iter().any(|number| number.reaches_same_line(caller))),
    );
    let department = rule.and_then(|rule| business.department(&rule.to));
    match department.filter(|department| is_open(turn, department)) {
        Some(department) => {
            put_through(turn, department);
            true
        }
        None => false,
    }
}

/// Words that a rule calls urgent. True where the turn is closed.
pub(crate) fn urgent(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let business = turn.business();
    let said = |phrase: &String| {
        let phrase = Words::of(phrase);
        !phrase.is_empty() && heard.words.find(&phrase.text(0, phrase.len())).is_some()
    };
    let rule = business
        .transfer_rules
        .iter()
        .find(|rule| matches!(&rule.when, Condition::CallerSays(phrases) if phrases.iter().any(said)));
    let Some(department) = rule.and_then(|rule| business.department(&rule.to)) else { return false };
    // While the message about it is being taken, the same words are its text.
    if matches!(turn.state.task, Some(Task::Message(_))) || turn.state.pending.is_some() {
        return false;
    }
    if heard.wants(super::intent::Intent::Emergency) {
        let number = say::emergency_number(&business.language);
        turn.say(format!("If somebody is in danger, please hang up and dial {number}."));
    }
    if is_open(turn, department) {
        put_through(turn, department);
    } else {
        let text = heard.raw.clone();
        turn.say(format!(
            "I'm sorry, {} isn't taking calls just now. I'll take an urgent message.",
            department.name
        ));
        let urgent = Message {
            recipient: Some(department.name.clone()),
            text: Some(text.into()),
            urgency: Urgency::Urgent,
            read_back: false,
        };
        message::advance(turn, urgent);
    }
    true
}

/// Transfers; what to do if that fails is remembered.
fn put_through(turn: &mut Turn<'_, '_>, department: &Department) {
    turn.say(format!("I'll put you through to {} now.", department.name));
    turn.state.task = None;
    turn.state.asked = Asked::OfferMessage(Some(department.name.clone()));
    turn.about(Heading::Transferred);
    turn.did(Done::Transferred(department.name.clone()));
    turn.close(Thought::Transfer { name: department.name.clone(), to: department.destination.clone() });
}

/// Transfers to a department in its hours; else offers a message. Closes the turn.
pub(crate) fn to_department(turn: &mut Turn<'_, '_>, department: &Department) {
    if is_open(turn, department) {
        put_through(turn, department);
        return;
    }
    turn.say(format!("I'm sorry, {} isn't available at the moment.", department.name));
    let recipient = Some(department.name.clone());
    turn.ask(Asked::OfferMessage(recipient), "Shall I take a message?");
}

/// Somebody was named. Closes the turn.
pub(crate) fn to_named(turn: &mut Turn<'_, '_>, heard: &Heard) {
    let business = turn.business();
    let staff = heard.staff.as_ref().and_then(|mention| business.resources.get(mention.index));
    let own = staff.and_then(|resource| business.department(&resource.name));
    let department =
        heard.department.as_ref().and_then(|mention| business.departments.get(mention.index)).or(own);
    match (department, staff) {
        (Some(department), _) => to_department(turn, department),
        (None, Some(resource)) => {
            turn.say(format!("I'm sorry, I can't put you through to {} directly.", resource.name));
            turn.ask(Asked::OfferMessage(Some(resource.name.clone())), "Shall I take a message?");
        }
        (None, None) => to_anybody(turn),
    }
}

/// The caller wants a person, any person. Closes the turn.
pub(crate) fn to_anybody(turn: &mut Turn<'_, '_>) {
    let business = turn.business();
    let rule = business.transfer_rules.iter().find(|rule| rule.when == Condition::AsksForPerson);
    let only = match business.departments.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    if let Some(department) = rule.and_then(|rule| business.department(&rule.to)).or(only) {
        to_department(turn, department);
        return;
    }
    let open: Vec<String> = business
        .departments
        .iter()
        .filter(|department| is_open(turn, department))
        .map(|department| department.name.clone())
        .take(3)
        .collect();
    if open.is_empty() {
        turn.say("I'm sorry, there's nobody I can put you through to at the moment.");
        turn.ask(Asked::OfferMessage(None), "Shall I take a message, so that somebody can call you back?");
    } else {
        turn.ask(Asked::WhichPerson, format!("Who would you like to speak to: {}?", say::list::or(&open)));
    }
}

/// The transfer failed; the caller is still here.
pub(crate) fn failed(turn: &mut Turn<'_, '_>, status: u16) {
    let recipient = back(turn);
    let who = recipient.clone().unwrap_or_else(|| "nobody".to_owned());
    turn.say(match status {
        486 | 600 | 603 => format!("I'm sorry, {who} is on another call."),
        _ if recipient.is_none() => "I'm sorry, nobody is answering.".to_owned(),
        _ => format!("I'm sorry, {who} isn't answering."),
    });
    turn.ask(Asked::OfferMessage(recipient), "Shall I take a message?");
}

/// The caller could not be handed over, and is still here.
pub(crate) fn hand_over_failed(turn: &mut Turn<'_, '_>, outcome: HandOverOutcome) {
    let recipient = back(turn);
    let who = recipient.clone().unwrap_or_else(|| "the person you asked for".to_owned());
    turn.say(match outcome {
        HandOverOutcome::Busy => format!("I'm sorry, {who} is on another call."),
        HandOverOutcome::Declined => format!("I'm sorry, {who} can't take a call just now."),
        HandOverOutcome::Unreachable => format!("I'm sorry, I can't reach {who} at the moment."),
        HandOverOutcome::Answered | HandOverOutcome::NoAnswer | HandOverOutcome::Voicemail => {
            format!("I'm sorry, {who} isn't answering.")
        }
    });
    turn.ask(Asked::OfferMessage(recipient), "Shall I take a message?");
}

/// The person has hung up after the two had spoken; the caller has not.
pub(crate) fn person_left(turn: &mut Turn<'_, '_>) {
    turn.state.asked = Asked::Open;
    turn.say("You're back with me now.");
}

/// The caller was not transferred after all: to whom that would have been.
fn back(turn: &mut Turn<'_, '_>) -> Option<String> {
    let recipient = match turn.state.asked.clone() {
        Asked::OfferMessage(recipient) => recipient,
        _ => None,
    };
    turn.state.done.retain(|done| !matches!(done, Done::Transferred(_)));
    turn.state.heading = Heading::Transferred;
    let heading = super::summary::heading(&turn.state.done);
    turn.about(heading);
    recipient
}
