//! Booking: what, when, with whom, for whom; read back; booked only when the calendar says so.

use super::heard::Heard;
use super::state::{Asked, Book, Done, Pending, Task};
use super::turn::Turn;
use super::{choose, contact, message, say};
use crate::types::{Heading, ServiceId, Slot, ToolCall, ToolOutcome};

/// Takes in whatever the utterance says about the appointment. Whether it said anything new.
pub(crate) fn fill(turn: &mut Turn<'_, '_>, book: &mut Book, heard: &Heard) -> bool {
    let mut used = fill_service(turn, book, heard);
    used |= choose::fill(turn, &mut book.choosing, heard);
    let had_name = turn.state.person.name.is_some();
    used |= contact::fill(turn, heard);
    if !had_name && turn.state.person.name.is_some() && !matches!(turn.state.asked, Asked::Name) {
        book.name_volunteered = true;
    }
    used
}

fn fill_service(turn: &Turn<'_, '_>, book: &mut Book, heard: &Heard) -> bool {
    let services = &turn.business().services;
    let named: Vec<ServiceId> = heard
        .services
        .iter()
        .filter_map(|mention| services.get(mention.index))
        .map(|service| service.id.clone())
        // After "which of the two?", only the two are meant.
        .filter(|id| book.maybe.is_empty() || book.maybe.contains(id) || heard.services.len() == 1)
        .collect();
    match named.as_slice() {
        [] => false,
        [only] => {
            let new = book.service.as_ref() != Some(only);
            if new {
                book.service = Some(only.clone());
                book.maybe.clear();
                book.choosing.reset();
            }
            new
        }
        several => {
            // "haircut" again, when a haircut is what is being booked.
            if book.service.as_ref().is_some_and(|service| several.contains(service)) {
                return false;
            }
            let new = book.maybe != several;
            book.maybe = several.to_vec();
            book.service = None;
            book.choosing.reset();
            new
        }
    }
}

/// The next step. Closes the turn.
pub(crate) fn advance(turn: &mut Turn<'_, '_>, mut book: Book) {
    step(turn, &mut book);
    if turn.state.task.is_none() && turn.state.asked != Asked::AnythingElse {
        turn.state.task = Some(Task::Book(book));
    }
}

fn step(turn: &mut Turn<'_, '_>, book: &mut Book) {
    let Some(service) = service(turn, book) else { return };
    turn.state.topic = Some(service.clone());
    let was_chosen = book.choosing.slot.is_some();
    let Some(slot) = choose::advance(turn, &mut book.choosing, &service, "What day and time would suit you?")
    else {
        return;
    };
    let asks_contact = turn.state.person.name.is_none();
    if !was_chosen
        || asks_contact && matches!(turn.state.asked, Asked::When | Asked::Slot | Asked::Open | Asked::Half)
    {
        acknowledge(turn, &slot, asks_contact);
    }
    if contact::ask_name(turn, "What name shall I put it under?") {
        return;
    }
    if book.name_volunteered {
        contact::assume_own_number(turn);
    }
    if contact::ask_number(turn) {
        return;
    }
    confirm(turn, &slot);
}

/// The service to be booked; where it is not plain, the turn is closed with a question.
fn service(turn: &mut Turn<'_, '_>, book: &mut Book) -> Option<ServiceId> {
    let business = turn.business();
    if let [only] = business.services.as_slice() {
        book.service.get_or_insert_with(|| only.id.clone());
    }
    if let Some(service) = &book.service {
        return Some(service.clone());
    }
    let name = |id: &ServiceId| business.service(id).map(|service| say::service::with_article(&service.name));
    let options: Vec<String> = book.maybe.iter().filter_map(name).take(3).collect();
    if options.len() > 1 {
        turn.ask(Asked::Service, format!("Would that be {}?", say::list::or(&options)));
        return None;
    }
    if business.services.is_empty() {
        turn.say("I'm sorry, I can't book appointments on the phone.");
        message::offer(turn, None);
        return None;
    }
    let few: Vec<String> =
        business.services.iter().take(3).map(|service| say::service::with_article(&service.name)).collect();
    let example = if business.services.len() > 3 { ", for example" } else { "" };
    let question = if matches!(turn.state.asked, Asked::Service) {
        format!("Which service would you like{example}: {}?", say::list::or(&few))
    } else {
        format!("Of course. What would you like to book{example}: {}?", say::list::or(&few))
    };
    turn.ask(Asked::Service, question);
    None
}

fn acknowledge(turn: &mut Turn<'_, '_>, slot: &Slot, asks_more: bool) {
    if asks_more {
        let brief = say::slots::brief(turn.local(slot.start), turn.now(), turn.style());
        turn.say(format!("Lovely, I have that free {brief}."));
    }
}

/// The service, with whom: "a haircut with Anna".
pub(crate) fn described(turn: &Turn<'_, '_>, slot: &Slot) -> String {
    let business = turn.business();
    let service = business
        .service(&slot.service)
        .map_or_else(|| "an appointment".to_owned(), |service| say::service::with_article(&service.name));
    let several = business.resources.len() > 1;
    match business.resource(&slot.resource).filter(|_| several) {
        Some(resource) => format!("{service} with {}", resource.name),
        None => service,
    }
}

/// "a haircut with Anna, tomorrow, Tuesday the third of March, at three o'clock in the afternoon".
pub(crate) fn in_full(turn: &Turn<'_, '_>, slot: &Slot) -> String {
    let when = say::slots::certain(turn.local(slot.start), turn.now(), turn.style());
    format!("{}, {when}", described(turn, slot))
}

fn confirm(turn: &mut Turn<'_, '_>, slot: &Slot) {
    let name = contact::spoken_name(turn).map(|name| format!(", for {name}")).unwrap_or_default();
    let number = match turn.state.person.number.as_ref().map(|number| number.reveal().as_str().to_owned()) {
        Some(_) if contact::is_own_number(turn) => ", on the number you're calling from".to_owned(),
        Some(number) => format!(", on {}", say::number::telephone(&number, turn.style())),
        None => String::new(),
    };
    let full = in_full(turn, slot);
    turn.ask(Asked::Confirm, format!("So that's {full}{name}{number}. Shall I book it?"));
}

/// The caller has agreed to what was read back.
pub(crate) fn confirmed(turn: &mut Turn<'_, '_>, book: Book) {
    let Some(slot) = book.choosing.slot.clone() else {
        advance(turn, book);
        return;
    };
    turn.state.task = Some(Task::Book(book));
    let call = ToolCall::Book { slot: slot.clone(), contact: contact::contact(turn) };
    turn.tool(Pending::Book(slot), call, "One moment, I'm booking that for you.");
}

/// The calendar has answered the search.
pub(crate) fn found(turn: &mut Turn<'_, '_>, mut book: Book, slots: Vec<Slot>) {
    let Some(service) = book.service.clone() else {
        advance(turn, book);
        return;
    };
    if choose::found(turn, &mut book.choosing, &service, slots) {
        if let Some(slot) = book.choosing.slot.clone()
            && turn.state.person.name.is_none()
        {
            acknowledge(turn, &slot, true);
        }
        turn.state.asked = Asked::Confirm;
        advance(turn, book);
    } else {
        turn.state.task = Some(Task::Book(book));
    }
}

/// The calendar has answered the booking of `slot`.
pub(crate) fn answered(turn: &mut Turn<'_, '_>, mut book: Book, slot: Slot, outcome: ToolOutcome) {
    match outcome {
        ToolOutcome::Booked { booking } => {
            let full = in_full(turn, &booking.slot);
            turn.about(Heading::Booked);
            turn.did(Done::Booked(booking.slot));
            turn.say(format!("That's booked: {full}. We look forward to seeing you."));
            turn.anything_else();
        }
        ToolOutcome::SlotTaken { alternatives } => {
            turn.say("I'm sorry, somebody has just taken that time.");
            if choose::offer_alternatives(turn, &mut book.choosing, alternatives) {
                turn.state.task = Some(Task::Book(book));
            } else {
                book.choosing.wanted.times.clear();
                advance(turn, book);
            }
        }
        ToolOutcome::Refused { why } => {
            turn.say(format!("I'm sorry, I can't book that: {}.", why.trim_end_matches('.')));
            book.choosing.reset();
            book.choosing.wanted = super::wanted::Wanted::default();
            turn.state.task = Some(Task::Book(book));
            turn.ask(Asked::When, "Is there another day or time that would suit you?");
        }
        ToolOutcome::Unknown { .. } => {
            let full = in_full(turn, &slot);
            turn.say(format!("I've requested {full}. We'll confirm it with you as soon as we can."));
            turn.did(Done::Requested(slot));
            message::leave_note(
                turn,
                format!(
                    "Requested {full}; the calendar did not confirm it. Please check and confirm with the caller."
                ),
            );
        }
        _ => {
            let full = in_full(turn, &slot);
            turn.say("I'm sorry, I can't reach the calendar just now, so nothing is booked yet. I'll leave a message so that somebody can call you back.");
            message::leave_note(turn, format!("Would like {full}. The calendar could not be reached."));
        }
    }
}
