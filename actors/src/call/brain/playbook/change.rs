//! Moving, cancelling and telling an appointment: find it first.

use super::heard::Heard;
use super::parse::date_time::{When, when};
use super::parse::number::ordinal;
use super::state::{Aim, Asked, Change, Done, Pending, Task};
use super::turn::Turn;
use super::wanted::Wanted;
use super::{book, cancel, choose, contact, message, reschedule, say};
use crate::types::{Booking, BookingState, Private, Slot, ToolCall};

/// Takes in whatever the utterance says. Whether it said anything new.
pub(crate) fn fill(turn: &mut Turn<'_, '_>, change: &mut Change, heard: &Heard) -> bool {
    let (source, target) = split(turn, change, heard);
    let mut used = contact::fill(turn, heard);
    if change.chosen.is_none()
        && let Some(service) = heard.service(turn)
    {
        used |= change.service.as_ref() != Some(&service);
        change.service = Some(service);
    }
    if matches!(turn.state.asked, Asked::WhichBooking) {
        let chosen = change.found.as_ref().and_then(|found| which(turn, found, heard, &source));
        if let Some(chosen) = chosen {
            change.chosen = Some(chosen);
            used = true;
        }
    } else if change.chosen.is_none() && !source.is_empty() {
        change.choosing.rather = None;
        change.source.merge(&source, None);
        used = true;
    }
    if change.aim == Aim::Move && !matches!(turn.state.asked, Asked::WhichBooking) || !target.is_empty() {
        let narrowed = Heard { when: target, ..heard.clone() };
        used |= choose::fill(turn, &mut change.choosing, &narrowed);
    }
    used
}

/// "Move my appointment on Thursday to Friday at three": which one, and to when.
fn split(turn: &Turn<'_, '_>, change: &Change, heard: &Heard) -> (When, When) {
    if heard.when.is_empty() {
        return (When::default(), When::default());
    }
    if change.aim != Aim::Move || matches!(turn.state.asked, Asked::WhichBooking) {
        return (heard.when.clone(), When::default());
    }
    let read = |from: usize, until: usize| {
        when(&heard.words.slice(from, until), &turn.calendar(), turn.now(), false)
    };
    let link = (0..heard.words.len()).rev().find(|place| {
        let to =
            heard.words.any(*place, &["to", "for", "until", "till"]) && heard.words.at(place + 1) != "three";
        to && !read(place + 1, heard.words.len()).is_empty()
            && !(heard.words.at(*place) == "to"
                && heard.when.spans.iter().any(|span| span.contains(place) && span.start < *place))
    });
    if let Some(place) = link {
        let numbered =
            when(&heard.words.slice(place + 1, heard.words.len()), &turn.calendar(), turn.now(), true);
        return (read(0, place), numbered);
    }
    // Once it is known which one is meant, any time is the new one.
    let known = change.chosen.is_some() || !matches!(turn.state.asked, Asked::Open | Asked::AnythingElse);
    if known { (When::default(), heard.when.clone()) } else { (heard.when.clone(), When::default()) }
}

/// Which of several is meant: by place, by day and time, or by service.
fn which(
    turn: &Turn<'_, '_>,
    found: &[Booking],
    heard: &Heard,
    source: &When,
) -> Option<crate::types::BookingId> {
    let words = &heard.words;
    if words.has_any(&["the last", "last one", "later one", "latter"]) {
        return found.last().map(|booking| booking.id);
    }
    if words.has_any(&["earlier one", "next one", "soonest", "former"]) {
        return found.first().map(|booking| booking.id);
    }
    let mut wanted = Wanted::default();
    wanted.merge(source, None);
    let by_time = matching(turn, found, &wanted);
    if !wanted.is_empty() && by_time.len() == 1 {
        return by_time.first().map(|booking| booking.id);
    }
    let place = (0..words.len()).find_map(|index| ordinal(words, index)).map(|(value, _)| value);
    if let Some(place) =
        place.and_then(|place| usize::try_from(place).ok()).and_then(|place| place.checked_sub(1))
    {
        return found.get(place).map(|booking| booking.id);
    }
    let service = heard.service(turn)?;
    let mut fitting = found.iter().filter(|booking| booking.slot.service == service);
    fitting.next().filter(|_| fitting.next().is_none()).map(|booking| booking.id)
}

fn matching<'b>(turn: &Turn<'_, '_>, found: &'b [Booking], wanted: &Wanted) -> Vec<&'b Booking> {
    let mut settled = wanted.clone();
    let _ = settled.settle(&turn.business().hours, turn.now());
    found.iter().filter(|booking| settled.fits(turn.local(booking.slot.start))).collect()
}

/// The next step. Closes the turn.
pub(crate) fn advance(turn: &mut Turn<'_, '_>, mut change: Change) {
    if change.found.is_none() {
        look_up(turn, &mut change);
        turn.state.task = Some(Task::Change(change));
        return;
    }
    if change.chosen.is_none() && !choose_booking(turn, &mut change) {
        turn.state.task = (change.aim != Aim::Tell).then_some(Task::Change(change));
        return;
    }
    let Some(booking) = change.booking().cloned() else {
        not_found(turn);
        return;
    };
    turn.state.topic = Some(booking.slot.service.clone());
    match change.aim {
        Aim::Move => reschedule::advance(turn, change, &booking),
        Aim::Cancel => cancel::advance(turn, change, &booking),
        Aim::Tell => {
            let full = book::in_full(turn, &booking.slot);
            turn.say(format!("You have {full}."));
            turn.about(crate::types::Heading::Question);
            turn.did(Done::Answered("their appointment".to_owned()));
            turn.anything_else();
        }
    }
}

/// First by the number that calls, then by name and number.
fn look_up(turn: &mut Turn<'_, '_>, change: &mut Change) {
    const FILLER: &str = "One moment, I'm looking for your appointment.";
    if let Some(caller) = turn.context.caller.filter(|_| !change.by_own_number) {
        change.by_own_number = true;
        let call = ToolCall::FindBookings { number: Some(Private::new(caller.clone())), name: None };
        turn.tool(Pending::Bookings, call, FILLER);
        return;
    }
    if turn.state.person.number.is_none() {
        // The number that calls is not the one it was made with.
        turn.state.person.other_number = true;
    }
    if contact::ask_name(turn, "What name is the appointment under?") {
        return;
    }
    if turn.state.person.number.is_none() && turn.state.person.partial_number.reveal().is_empty() {
        turn.ask(Asked::Number, "And which phone number was it booked with?");
        return;
    }
    if contact::ask_number(turn) {
        return;
    }
    let contact = contact::contact(turn);
    if contact.name.is_none() || contact.number.is_none() {
        // Neither was understood however often it was asked for; to search again would find the same nothing.
        not_found(turn);
        return;
    }
    turn.tool(
        Pending::Bookings,
        ToolCall::FindBookings { number: contact.number, name: contact.name },
        FILLER,
    );
}

/// The calendar has answered the search.
pub(crate) fn found(turn: &mut Turn<'_, '_>, mut change: Change, bookings: Vec<Booking>) {
    let now = turn.context.now.timestamp();
    let by_name = turn.state.person.name.is_some() && turn.state.person.number.is_some();
    let person = contact::contact(turn);
    let theirs = |booking: &Booking| match (&booking.contact.number, &person.number) {
        // A name alone opens nobody's calendar.
        (Some(kept), Some(given)) => kept.reveal().reaches_same_line(given.reveal()),
        (None, Some(_)) => by_name,
        _ => true,
    };
    let mut coming: Vec<Booking> = bookings
        .into_iter()
        .filter(|booking| {
            booking.state == BookingState::Confirmed && booking.slot.start > now && theirs(booking)
        })
        .collect();
    coming.sort_by_key(|booking| booking.slot.start);
    if !coming.is_empty() {
        change.found = Some(coming);
        turn.state.asked = Asked::Open;
        advance(turn, change);
    } else if by_name {
        not_found(turn);
    } else {
        turn.say("I can't find an appointment under the number you're calling from.");
        advance(turn, change);
    }
}

fn not_found(turn: &mut Turn<'_, '_>) {
    turn.state.task = None;
    turn.say("I'm sorry, I can't find a coming appointment under that name and number.");
    message::offer(turn, None);
}

/// True where one is meant; else the turn is closed with a question.
fn choose_booking(turn: &mut Turn<'_, '_>, change: &mut Change) -> bool {
    let found = change.found.clone().unwrap_or_default();
    if let [only] = found.as_slice() {
        change.chosen = Some(only.id);
        return true;
    }
    let fitting: Vec<Booking> = matching(turn, &found, &change.source).into_iter().cloned().collect();
    let by_topic: Vec<&Booking> =
        fitting.iter().filter(|booking| change.service.as_ref() == Some(&booking.slot.service)).collect();
    let plain = match (fitting.as_slice(), by_topic.as_slice()) {
        ([only], _) if !change.source.is_empty() => Some(only.id),
        (_, [only]) => Some(only.id),
        _ => None,
    };
    if plain.is_some() {
        change.chosen = plain;
        return true;
    }
    let options: Vec<String> = found
        .iter()
        .take(3)
        .map(|booking| {
            let when = say::slots::brief(turn.local(booking.slot.start), turn.now(), turn.style());
            format!("{} {when}", book::described(turn, &booking.slot))
        })
        .collect();
    if change.aim == Aim::Tell {
        turn.say(format!("You have {}.", say::list::and(&options)));
        turn.about(crate::types::Heading::Question);
        turn.did(Done::Answered("their appointments".to_owned()));
        turn.anything_else();
        return false;
    }
    turn.ask(Asked::WhichBooking, format!("You have {}. Which one do you mean?", say::list::and(&options)));
    false
}

/// What a booking is, for a message to the business.
pub(crate) fn noted(turn: &Turn<'_, '_>, slot: &Slot) -> String {
    book::in_full(turn, slot)
}
