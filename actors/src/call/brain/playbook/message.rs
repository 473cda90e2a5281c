//! A message for a person: text, name and number, read back and corrected, then kept.

use super::heard::Heard;
use super::intent::Intent;
use super::normalise::Words;
use super::parse::date::weekday;
use super::parse::email;
use super::state::{Asked, Done, Message, Pending, Task};
use super::turn::Turn;
use super::{contact, say};
use crate::types::{Heading, Private, ToolCall, ToolOutcome, Urgency};

const URGENT: [&str; 6] =
    ["urgent", "urgently", "emergency", "straight away", "right away", "as soon as possible"];

/// Takes in whatever the utterance says. Whether it said anything new.
pub(crate) fn fill(turn: &mut Turn<'_, '_>, message: &mut Message, heard: &Heard) -> bool {
    if heard.words.has_any(&URGENT) {
        message.urgency = Urgency::Urgent;
    }
    if matches!(turn.state.asked, Asked::MessageText) {
        set_text(turn, message, &heard.raw);
        if let Some(named) =
            heard.name.as_ref().filter(|named| named.span.len() > 2 && turn.state.person.name.is_none())
        {
            turn.state.person.name = Some(Private::new(named.name.clone()));
        }
        if let Some(number) = &heard.number {
            contact::take_digits(turn, number);
        }
        return true;
    }
    let mut used = fill_recipient(turn, message, heard);
    used |= contact::fill(turn, heard);
    let correcting = matches!(turn.state.asked, Asked::Confirm | Asked::WhatToChange);
    if !used && correcting {
        used = correct_text(turn, message, heard);
    }
    used
}

fn set_text(turn: &Turn<'_, '_>, message: &mut Message, text: &str) {
    let kept: String = text.chars().take(turn.settings.message_chars_max).collect();
    message.text = Some(Private::new(kept));
}

fn fill_recipient(turn: &Turn<'_, '_>, message: &mut Message, heard: &Heard) -> bool {
    let business = turn.business();
    let staff = heard.staff.as_ref().and_then(|mention| business.resources.get(mention.index));
    let department = heard.department.as_ref().and_then(|mention| business.departments.get(mention.index));
    let named = department.map(|department| &department.name).or(staff.map(|resource| &resource.name));
    match named {
        Some(name) if message.recipient.as_ref() != Some(name) => {
            message.recipient = Some(name.clone());
            true
        }
        _ => false,
    }
}

/// "No, it's Tuesday", "and add that …", "no, say …".
fn correct_text(turn: &Turn<'_, '_>, message: &mut Message, heard: &Heard) -> bool {
    let Some(text) = message.text.as_ref().map(|text| text.reveal().clone()) else { return false };
    let said = Words::of(&text);
    let days = |words: &Words| words.iter().find(|word| weekday(word).is_some()).map(str::to_owned);
    if let (Some(wrong), Some(right)) = (days(&said), days(&heard.words))
        && wrong != right
    {
        set_text(turn, message, &text.to_lowercase().replace(&wrong, &right));
        return true;
    }
    for lead in ["add that", "also say", "and add", "also tell", "and also"] {
        if let Some(at) = heard.words.find(lead) {
            let more = heard.words.text(at + 2, heard.words.len());
            set_text(turn, message, &format!("{text}. {more}"));
            return !more.is_empty();
        }
    }
    for lead in ["it should say", "say that", "tell them", "the message is", "i said"] {
        if let Some(at) = heard.words.find(lead) {
            let instead = heard.words.text(at + lead.split(' ').count(), heard.words.len());
            if !instead.is_empty() {
                set_text(turn, message, &instead);
                return true;
            }
        }
    }
    false
}

/// Begins a message from the words that asked for it: "tell Anna I'm running late" says it all.
pub(crate) fn start(turn: &mut Turn<'_, '_>, heard: &Heard) -> Message {
    let mut message = Message::default();
    fill(turn, &mut message, heard);
    let words = &heard.words;
    let after_recipient = heard.staff.iter().chain(&heard.department).map(|mention| mention.span.end).max();
    let them = ["tell", "let", "ask"].iter().find_map(|verb| words.find(verb)).filter(|at| {
        words.any(at + 1, &["them", "him", "her", "somebody", "someone", "everybody"])
            || after_recipient.is_some()
    });
    let mut from = match (them, after_recipient) {
        (Some(at), Some(end)) if end > at => Some(end),
        (Some(at), _) => Some(at + 2),
        (None, Some(end)) if words.any(end, &["that", "saying"]) => Some(end),
        _ => words.find("saying").or_else(|| words.find("to say")),
    };
    if from.is_none()
        && heard.wants(Intent::Message)
        && words.has_any(&["running late", "be late", "call me back", "ring me"])
    {
        from = Some(0);
    }
    if let Some(mut from) = from {
        while words.any(from, &["know", "that", "saying", "say", "please"]) {
            from += 1;
        }
        let text = words.text(from, words.len());
        if text.split(' ').count() >= 2 {
            set_text(turn, &mut message, text.strip_prefix("to ").unwrap_or(&text));
        }
    }
    message
}

/// The next step. Closes the turn.
pub(crate) fn advance(turn: &mut Turn<'_, '_>, message: Message) {
    let who = message.recipient.clone().unwrap_or_else(|| "them".to_owned());
    let has_text = message.text.is_some();
    turn.state.task = Some(Task::Message(message));
    if !has_text {
        turn.ask(Asked::MessageText, format!("What would you like me to tell {who}?"));
        return;
    }
    if contact::ask_name(turn, "May I have your name, please?") || contact::ask_number(turn) {
        return;
    }
    read_back(turn);
}

fn read_back(turn: &mut Turn<'_, '_>) {
    let Some(Task::Message(message)) = &mut turn.state.task else { return };
    message.read_back = true;
    let message = message.clone();
    let text = message.text.as_ref().map(|text| text.reveal().clone()).unwrap_or_default();
    let to = message.recipient.map(|recipient| format!(" for {recipient}")).unwrap_or_default();
    let name = contact::spoken_name(turn).map(|name| format!(", from {name}")).unwrap_or_default();
    let number = match turn.state.person.number.as_ref().map(|number| number.reveal().as_str().to_owned()) {
        Some(_) if contact::is_own_number(turn) => ", on the number you're calling from".to_owned(),
        Some(number) => format!(", on {}", say::number::telephone(&number, turn.style())),
        None => String::new(),
    };
    let text = sentence(text.trim_end_matches(['.', '!', '?']));
    let email = turn.state.person.email.as_ref().map(|email| email::spoken(email.reveal()));
    let number = email.map_or(number.clone(), |email| format!("{number}, with the e-mail address {email}"));
    turn.ask(Asked::Confirm, format!("So that's a message{to}{name}{number}: {text}. Is that right?"));
}

/// Words of a recogniser as a sentence: "I'm late".
fn sentence(text: &str) -> String {
    let words: Vec<String> =
        text.split_whitespace()
            .map(|word| {
                if word == "i" || word.starts_with("i'") {
                    word.replacen('i', "I", 1)
                } else {
                    word.to_owned()
                }
            })
            .collect();
    say::capital(&words.join(" "))
}

/// The caller has agreed to what was read back.
pub(crate) fn confirmed(turn: &mut Turn<'_, '_>, message: Message) {
    let call = ToolCall::TakeMessage {
        recipient: message.recipient.clone(),
        from: contact::contact(turn),
        text: with_email(turn, message.text.clone().unwrap_or_default()),
        urgency: message.urgency,
    };
    turn.state.task = Some(Task::Message(message));
    turn.tool(Pending::Message, call, "One moment, I'm writing that down.");
}

fn with_email(turn: &Turn<'_, '_>, text: Private<String>) -> Private<String> {
    match &turn.state.person.email {
        Some(email) if !text.reveal().contains(email.reveal().as_str()) => {
            Private::new(format!("{}. E-mail: {}", text.reveal(), email.reveal()))
        }
        _ => text,
    }
}

/// The store has answered.
pub(crate) fn answered(turn: &mut Turn<'_, '_>, message: &Message, outcome: &ToolOutcome) {
    let who = message.recipient.clone().unwrap_or_else(|| "the team".to_owned());
    match outcome {
        ToolOutcome::MessageTaken { .. } => {
            turn.about(Heading::Message);
            turn.did(Done::Message(message.recipient.clone()));
            turn.say(format!("Thank you. I'll make sure that {who} gets your message."));
        }
        ToolOutcome::Unknown { .. } => {
            turn.say("I've passed your message on, but I couldn't check that it arrived. Please call again if you don't hear from us.");
        }
        _ => turn.say("I'm sorry, I couldn't keep your message. Please call again a little later."),
    }
    turn.anything_else();
}

/// Leaves a message that the caller need not dictate: what could not be done for them.
pub(crate) fn leave_note(turn: &mut Turn<'_, '_>, text: String) {
    turn.state.task = None;
    let mut from = contact::contact(turn);
    if from.number.is_none() {
        from.number = turn.context.caller.cloned().map(Private::new);
    }
    let call =
        ToolCall::TakeMessage { recipient: None, from, text: Private::new(text), urgency: Urgency::Normal };
    turn.tool(Pending::Note, call, "One moment, please.");
}

/// The store has answered a note.
pub(crate) fn note_answered(turn: &mut Turn<'_, '_>, outcome: &ToolOutcome) {
    match outcome {
        ToolOutcome::MessageTaken { .. } => {
            turn.about(Heading::Message);
            turn.did(Done::Message(None));
            turn.say("I've let the team know.");
        }
        _ => turn.say("I'm sorry, I couldn't let the team know. Please call again a little later."),
    }
    turn.anything_else();
}

/// Asks whether to take a message.
pub(crate) fn offer(turn: &mut Turn<'_, '_>, recipient: Option<String>) {
    turn.ask(Asked::OfferMessage(recipient), "Shall I take a message, so that somebody can call you back?");
}
