//! From what was heard to what is done: controls first, then answers to our question, then the caller's own.

use super::heard::{Heard, is_midway};
use super::intent::Intent;
use super::state::{Aim, Asked, Book, Change, Message, Pending, Task};
use super::turn::Turn;
use super::{book, cancel, change, contact, message, question, repair, reschedule, small_talk, transfer};
use crate::types::ToolOutcome;

/// The caller said something.
pub(crate) fn hear(turn: &mut Turn<'_, '_>, text: &str, confidence: f32, interrupted_after: Option<&str>) {
    let heard = Heard::of(turn, text, confidence);
    if heard.words.is_empty() {
        repair::not_understood(turn, None);
        return;
    }
    if transfer::urgent(turn, &heard) {
        return;
    }
    if heard.wants(Intent::Emergency) && !matches!(turn.state.asked, Asked::MessageText) {
        small_talk::emergency(turn);
        return;
    }
    if control(turn, &heard) {
        return;
    }
    if turn.state.pending.is_some() {
        turn.say("One moment, please.");
        turn.listen();
        return;
    }
    if denies(turn, &heard) {
        return;
    }
    if answer_ours(turn, &heard) {
        turn.state.failures = 0;
        return;
    }
    if matches!(turn.state.asked, Asked::Confirm) && confirm(turn, &heard, interrupted_after) {
        return;
    }
    general(turn, &heard);
}

/// What can be said at any time and is about the talk itself.
fn control(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    const SURE: f32 = 0.8;
    let dictating = matches!(turn.state.asked, Asked::MessageText);
    let short = heard.words.len() <= 7;
    let strong = |intent: Intent| {
        heard.wants(intent)
            && (!dictating || heard.score(intent) >= SURE && short)
            && heard.intents.len() == 1
    };
    if strong(Intent::Repeat) {
        repair::repeat(turn, "");
    } else if strong(Intent::SlowDown) {
        repair::repeat(turn, "Of course.");
    } else if strong(Intent::Hold) && words_are_no_choice(heard) {
        turn.say("Take your time.");
        turn.listen();
    } else if (strong(Intent::StartOver) || scraps(turn, heard))
        && heard.when.is_empty()
        && heard.services.is_empty()
    {
        turn.state.task = None;
        turn.state.failures = 0;
        turn.say("No problem.");
        turn.ask(Asked::Open, "What else can I do for you?");
    } else if strong(Intent::WrongNumber) {
        small_talk::wrong_number(turn);
    } else if is_goodbye(turn, heard) {
        small_talk::goodbye(turn);
    } else if strong(Intent::Person) {
        transfer::to_anybody(turn);
    } else if dictating && strong(Intent::Cancel) && heard.words.len() <= 3 {
        turn.state.task = None;
        turn.anything_else();
    } else {
        return false;
    }
    true
}

/// "Cancel that", while something is being done.
fn scraps(turn: &Turn<'_, '_>, heard: &Heard) -> bool {
    let said = heard.words.text(0, heard.words.len());
    turn.state.task.is_some()
        && matches!(said.as_str(), "cancel that" | "cancel it" | "cancel" | "no cancel that" | "stop")
        && !matches!(turn.state.task, Some(Task::Change(_)))
}

/// "The second one" is no plea for a second.
fn words_are_no_choice(heard: &Heard) -> bool {
    !heard.words.has_any(&["the second"])
}

fn is_goodbye(turn: &Turn<'_, '_>, heard: &Heard) -> bool {
    let done = matches!(turn.state.asked, Asked::AnythingElse);
    let nothing_new = heard.when.is_empty() && heard.services.is_empty();
    if matches!(turn.state.asked, Asked::MessageText) && heard.words.len() > 4 {
        return false;
    }
    if done
        && heard.answer == Some(false)
        && heard.intents.iter().all(|(intent, _)| !intent.is_task() && !intent.is_question())
        && nothing_new
    {
        return true;
    }
    let said = heard.wants(Intent::Goodbye)
        && heard.intents.iter().all(|(intent, _)| matches!(intent, Intent::Goodbye | Intent::Thanks));
    let bye = heard.words.has_any(&["goodbye", "bye", "bye bye"]);
    // A plain "no" answers the question that stands open.
    let answers = heard.bare && heard.answer == Some(false) && !bye && turn.state.asked != Asked::Open;
    // "Can i a bye card" is a question half heard; to hang up on it is the worst mistake there is.
    said && !answers && !heard.is_question() && (bye || !is_midway(turn.state)) && (nothing_new || bye)
}

fn asks_something(heard: &Heard) -> bool {
    heard.intents.iter().any(|(intent, _)| intent.is_task() || intent.is_question())
}

/// "No", to what we think the caller wants: that was not understood either.
fn denies(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let guessed = matches!(turn.state.asked, Asked::Guess(_));
    if !guessed || heard.answer != Some(false) || asks_something(heard) && !heard.bare {
        return false;
    }
    turn.state.not_understood = None;
    if !repair::guessed_wrong(turn) {
        turn.ask(Asked::Open, "All right. What can I do for you?");
    }
    true
}

/// Answers to questions of ours that belong to no task.
fn answer_ours(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let asks_something = asks_something(heard);
    match turn.state.asked.clone() {
        Asked::OfferMessage(recipient) if !asks_something || heard.wants(Intent::Message) => {
            match heard.answer {
                Some(false) => {
                    turn.anything_else();
                    true
                }
                Some(true) => {
                    let text = turn.state.not_understood.take();
                    message::advance(turn, Message { recipient, text, ..Message::default() });
                    true
                }
                None => false,
            }
        }
        Asked::Guess(intent) if heard.answer == Some(true) && (heard.bare || !asks_something) => {
            let said = turn.state.not_understood.take();
            match said.map(|said| Heard::of(turn, said.reveal(), heard.confidence)) {
                Some(said) => {
                    start(turn, &said, intent);
                    fill(turn, heard);
                }
                None => start(turn, heard, intent),
            }
            advance(turn);
            true
        }
        Asked::Offer(intent) if heard.answer.is_some() && (heard.bare || !asks_something) => {
            if heard.answer == Some(true) {
                start(turn, heard, intent);
                advance(turn);
            } else {
                turn.ask(Asked::Open, "All right. What can I do for you?");
            }
            true
        }
        Asked::About(intent) if !heard.services.is_empty() => {
            turn.state.asked = Asked::Open;
            if question::answer(turn, heard, intent) && !turn.is_closed() {
                turn.anything_else();
            }
            turn.is_closed()
        }
        Asked::WhichPerson if heard.department.is_some() || heard.staff.is_some() => {
            transfer::to_named(turn, heard);
            true
        }
        Asked::WhichPerson if heard.words.has_any(&["anyone", "anybody", "any", "either"]) => {
            let open = turn.business().departments.first().cloned();
            if let Some(department) = open {
                transfer::to_department(turn, &department);
            }
            turn.is_closed()
        }
        Asked::AnythingElse if heard.answer == Some(true) && heard.bare && !asks_something => {
            turn.ask(Asked::Open, "What can I do for you?");
            true
        }
        _ => false,
    }
}

/// The answer to a read-back. `false` where it is none, and the utterance is like any other.
fn confirm(turn: &mut Turn<'_, '_>, heard: &Heard, interrupted_after: Option<&str>) -> bool {
    let other = heard.intents.iter().any(|(intent, _)| {
        intent.is_question()
            || matches!(intent, Intent::Person | Intent::Department | Intent::Message | Intent::Cancel)
    });
    if other && !heard.bare || heard.answer.is_none() {
        return false;
    }
    let changed = fill(turn, heard);
    if turn.is_closed() {
        return true;
    }
    if changed {
        turn.state.failures = 0;
        advance(turn);
        return true;
    }
    if heard.answer == Some(false) {
        if matches!(&turn.state.task, Some(Task::Change(change)) if change.aim == Aim::Cancel) {
            cancel::kept(turn);
        } else {
            turn.ask(Asked::WhatToChange, "What would you like to change?");
        }
        return true;
    }
    // A yes to a question that was cut off before its end is no yes to what was not heard.
    let said = turn.state.said.reveal().split_whitespace().count();
    let unheard = interrupted_after.is_some_and(|words| words.split_whitespace().count() * 2 < said);
    if unheard {
        advance(turn);
    } else if heard.confidence < turn.settings.confidence_min {
        turn.say("I'm sorry, was that a yes?");
        turn.listen();
    } else {
        turn.state.failures = 0;
        confirmed(turn);
    }
    true
}

fn confirmed(turn: &mut Turn<'_, '_>) {
    match turn.state.task.take() {
        Some(Task::Book(task)) => book::confirmed(turn, task),
        Some(Task::Message(task)) => message::confirmed(turn, task),
        Some(Task::Change(task)) => match task.aim {
            Aim::Move => reschedule::confirmed(turn, task),
            Aim::Cancel => cancel::confirmed(turn, task),
            Aim::Tell => change::advance(turn, task),
        },
        None => turn.anything_else(),
    }
}

/// Whatever the utterance says, in any order: facts for the task, questions, a new wish.
fn general(turn: &mut Turn<'_, '_>, heard: &Heard) {
    let asking = heard.only_asks() && heard.is_question();
    let facts = Heard { when: Default::default(), services: Vec::new(), staff: None, ..heard.clone() };
    let used = fill(turn, if asking { &facts } else { heard }) | change_what(turn, heard);
    if turn.is_closed() {
        return;
    }
    let dictated = used && matches!(turn.state.asked, Asked::MessageText);
    let mut answered = false;
    let mut unknown = false;
    if !dictated {
        for (intent, _) in heard.intents.iter().filter(|(intent, _)| intent.is_question()) {
            // "Haircut" in answer to "which service?" asks nothing.
            if used
                && heard.intents.len() == 1
                && !heard.is_question()
                && !matches!(intent, Intent::Robot | Intent::Help)
            {
                continue;
            }
            let done = question::answer(turn, heard, *intent);
            answered |= done;
            unknown |= !done;
        }
    }
    if !dictated
        && !answered
        && let Some(intent) = follow_up(turn, heard)
    {
        answered = question::answer(turn, heard, intent);
    }
    let wish = heard.intents.iter().map(|(intent, _)| *intent).find(|intent| intent.is_task());
    if let Some(intent) = wish.filter(|_| !dictated)
        && switches(turn, heard, intent, used)
    {
        if heard.confidence < turn.settings.confidence_min && turn.state.task.is_none() && !turn.is_closed() {
            guess(turn, heard, intent);
            return;
        }
        start(turn, heard, intent);
    } else if turn.state.task.is_none()
        && !answered
        && !turn.is_closed()
        && let Some(intent) = may_want(turn, heard)
    {
        guess(turn, heard, intent);
        return;
    } else if turn.state.task.is_none() && !answered && !turn.is_closed() && implies_booking(turn, heard) {
        start(turn, heard, Intent::Book);
    } else if used && turn.state.task.is_none() && !answered && !turn.is_closed() {
        let name = contact::spoken_name(turn).map(|name| format!(", {name}")).unwrap_or_default();
        turn.ask(Asked::Open, format!("Thank you{name}. What can I do for you?"));
    } else if !used && !answered && unhandled(turn, heard, unknown) {
        return;
    }
    turn.state.failures = 0;
    if !turn.is_closed() {
        advance(turn);
    }
}

/// "And on Sunday?", "what about a colour?": the same question about something else.
fn follow_up(turn: &Turn<'_, '_>, heard: &Heard) -> Option<Intent> {
    let intent = turn.state.answered.filter(|_| turn.state.task.is_none())?;
    let opens =
        ["and", "what about", "how about", "or"].iter().any(|lead| heard.words.starts(0, lead).is_some());
    let short = heard.words.len() <= 7 && heard.intents.is_empty();
    let named = match intent {
        Intent::Hours => !heard.when.days.is_empty(),
        Intent::Price | Intent::Duration | Intent::Services => !heard.services.is_empty(),
        Intent::Staff => heard.staff.is_some(),
        _ => false,
    };
    (opens && short && named).then_some(intent)
}

/// Whether a wish begins something new. What answers our question does so only where it is beyond doubt.
fn switches(turn: &Turn<'_, '_>, heard: &Heard, intent: Intent, used: bool) -> bool {
    const BEYOND_DOUBT: f32 = 0.8;
    if !is_midway(turn.state) {
        return true;
    }
    !same_task(turn, intent) && (!used || heard.score(intent) >= BEYOND_DOUBT)
        || same_task(turn, intent) && !used
}

/// Small talk, or nothing that makes sense. True where the turn is closed.
fn unhandled(turn: &mut Turn<'_, '_>, heard: &Heard, unknown: bool) -> bool {
    let greets = heard.words.any(0, &["hello", "hi", "hey"]) && heard.words.len() <= 4;
    let small = [Intent::Hello, Intent::Rude, Intent::Thanks]
        .into_iter()
        .find(|intent| heard.wants(*intent))
        .or(greets.then_some(Intent::Hello));
    match small {
        Some(Intent::Thanks) => {
            turn.say("You're welcome.");
            return false;
        }
        Some(intent) => {
            small_talk::answer(turn, intent);
            turn.state.failures = 0;
            if turn.state.task.is_none() {
                turn.ask(Asked::Open, "How can I help you?");
                return true;
            }
            return false;
        }
        None => {}
    }
    let question = unknown || heard.is_question() && heard.words.len() >= 3;
    if question && (turn.state.task.is_none() || unknown) {
        repair::not_known(turn, &heard.raw);
    } else {
        repair::not_understood(turn, Some(&heard.raw));
    }
    true
}

fn same_task(turn: &Turn<'_, '_>, intent: Intent) -> bool {
    match (&turn.state.task, intent) {
        (Some(Task::Book(_)), Intent::Book | Intent::Move) | (Some(Task::Message(_)), Intent::Message) => {
            true
        }
        (Some(Task::Change(change)), _) => matches!(
            (change.aim, intent),
            (Aim::Move, Intent::Move | Intent::Book)
                | (Aim::Cancel, Intent::Cancel)
                | (Aim::Tell, Intent::Mine)
        ),
        _ => false,
    }
}

/// What the words may still want where nothing says so for certain: to be asked, not to be done.
pub(crate) fn may_want(turn: &Turn<'_, '_>, heard: &Heard) -> Option<Intent> {
    let named = (heard.vague && implies_booking(turn, heard)).then_some(Intent::Book);
    named.or(heard.maybe)
}

/// "Haircut tomorrow at three" is a wish to book.
pub(crate) fn implies_booking(turn: &Turn<'_, '_>, heard: &Heard) -> bool {
    let free =
        matches!(turn.state.asked, Asked::Open | Asked::AnythingElse | Asked::Guess(_) | Asked::Offer(_));
    let named = !heard.services.is_empty();
    // "Could I have a beard trim tomorrow?"
    let asked_for = named && heard.intents.is_empty() && (!heard.when.is_empty() || heard.staff.is_some());
    let timed = !heard.when.is_empty() && heard.words.len() <= 6 && heard.intents.is_empty();
    let told = !heard.is_question() && (named || timed);
    free && !turn.business().services.is_empty() && (told || asked_for)
}

/// "The time", after "what would you like to change?".
fn change_what(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    if !matches!(turn.state.asked, Asked::WhatToChange) {
        return false;
    }
    let words = &heard.words;
    if words.has_any(&["name", "spelling"]) && heard.name.is_none() && heard.edit.is_none() {
        turn.state.person.name = None;
        return true;
    }
    if words.has_any(&["number", "phone"]) && heard.number.is_none() && heard.correction.is_none() {
        turn.state.person.number = None;
        turn.state.person.other_number = true;
        return true;
    }
    let timed = words.has_any(&["time", "day", "date", "when"]) && heard.when.is_empty();
    match &mut turn.state.task {
        Some(Task::Book(book)) if timed => {
            book.choosing.reset();
            book.choosing.wanted = super::wanted::Wanted::default();
            true
        }
        Some(Task::Change(change)) if timed => {
            change.choosing.reset();
            change.choosing.wanted = super::wanted::Wanted::default();
            true
        }
        Some(Task::Book(book)) if words.has_any(&["service", "treatment"]) && heard.services.is_empty() => {
            book.service = None;
            book.choosing.reset();
            true
        }
        Some(Task::Message(message)) if words.has_any(&["message", "text", "all", "everything"]) => {
            message.text = None;
            true
        }
        _ => heard.answer == Some(true) || words.has_any(&["nothing"]),
    }
}

/// Gives the utterance to the task. Whether it said anything new.
fn fill(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let Some(mut task) = turn.state.task.take() else {
        return heard.name.is_some() && contact::fill(turn, heard);
    };
    let used = match &mut task {
        Task::Book(book) => book::fill(turn, book, heard),
        Task::Change(change) => change::fill(turn, change, heard),
        Task::Message(message) => message::fill(turn, message, heard),
    };
    turn.state.task = Some(task);
    used
}

/// Not sure enough to begin: asks, and keeps the words for a yes.
fn guess(turn: &mut Turn<'_, '_>, heard: &Heard, intent: Intent) {
    // The last guess got neither a yes nor a no.
    if matches!(turn.state.asked, Asked::Guess(_)) && repair::guessed_wrong(turn) {
        return;
    }
    let what = match intent {
        Intent::Book => "book an appointment",
        Intent::Move => "move an appointment",
        Intent::Cancel => "cancel an appointment",
        Intent::Mine => "check an appointment",
        Intent::Message => "leave a message",
        _ => "speak to somebody",
    };
    turn.state.not_understood = Some(heard.raw.clone().into());
    turn.ask(Asked::Guess(intent), format!("I think you'd like to {what}. Is that right?"));
}

/// Begins what the caller wants, with whatever they said about it already.
fn start(turn: &mut Turn<'_, '_>, heard: &Heard, intent: Intent) {
    let reaim = |turn: &mut Turn<'_, '_>, aim: Aim| match turn.state.task.take() {
        Some(Task::Change(change)) => Change { aim, ..change },
        _ => Change::new(aim),
    };
    match intent {
        Intent::Book => {
            let mut book = Book::default();
            let refers = heard.services.is_empty();
            if refers && let Some(topic) = turn.state.topic.clone() {
                book.service = Some(topic);
            }
            if !matches!(turn.state.asked, Asked::Guess(_) | Asked::Offer(_)) {
                turn.state.asked = Asked::Open;
            }
            book::fill(turn, &mut book, heard);
            book.name_volunteered = turn.state.person.name.is_some();
            turn.state.task = Some(Task::Book(book));
        }
        Intent::Move if matches!(turn.state.task, Some(Task::Book(_))) => {
            if let Some(Task::Book(book)) = &mut turn.state.task {
                book.choosing.reset();
                book.choosing.wanted = super::wanted::Wanted::default();
            }
        }
        Intent::Move | Intent::Cancel | Intent::Mine => {
            let aim = match intent {
                Intent::Move => Aim::Move,
                Intent::Cancel => Aim::Cancel,
                _ => Aim::Tell,
            };
            let mut change = reaim(turn, aim);
            if change.chosen.is_none() {
                turn.state.asked = Asked::Open;
            }
            change::fill(turn, &mut change, heard);
            turn.state.task = Some(Task::Change(change));
        }
        Intent::Message => {
            turn.state.asked = Asked::Open;
            let message = message::start(turn, heard);
            turn.state.task = Some(Task::Message(message));
        }
        Intent::Department => transfer::to_named(turn, heard),
        _ => transfer::to_anybody(turn),
    }
}

/// The next step of what is being done. Closes the turn.
pub(crate) fn advance(turn: &mut Turn<'_, '_>) {
    if turn.is_closed() {
        return;
    }
    match turn.state.task.take() {
        Some(Task::Book(task)) => book::advance(turn, task),
        Some(Task::Change(task)) => change::advance(turn, task),
        Some(Task::Message(task)) => message::advance(turn, task),
        None => turn.anything_else(),
    }
}

/// A tool has answered.
pub(crate) fn tool_answered(turn: &mut Turn<'_, '_>, outcome: ToolOutcome) {
    let Some(pending) = turn.state.pending.take() else {
        turn.listen();
        return;
    };
    if pending == Pending::Note {
        message::note_answered(turn, &outcome);
        return;
    }
    match (pending, turn.state.task.take(), outcome) {
        (Pending::Slots, Some(Task::Book(task)), ToolOutcome::Slots { slots }) => {
            book::found(turn, task, slots)
        }
        (Pending::Slots, Some(Task::Change(task)), ToolOutcome::Slots { slots }) => {
            reschedule::found(turn, task, slots);
        }
        (Pending::Bookings, Some(Task::Change(task)), ToolOutcome::Bookings { bookings }) => {
            change::found(turn, task, bookings);
        }
        (Pending::Bookings, Some(Task::Change(task)), ToolOutcome::NotFound) => {
            change::found(turn, task, Vec::new())
        }
        (Pending::Book(slot), Some(Task::Book(task)), outcome) => book::answered(turn, task, slot, outcome),
        (Pending::Move(slot), Some(Task::Change(task)), outcome) => {
            reschedule::answered(turn, task, &slot, outcome);
        }
        (Pending::Cancel, Some(Task::Change(task)), outcome) => cancel::answered(turn, &task, outcome),
        (Pending::Message, Some(Task::Message(task)), outcome) => message::answered(turn, &task, &outcome),
        (_, task, _) => {
            turn.say("I'm sorry, I can't reach the calendar just now. I'll leave a message so that somebody can call you back.");
            let what = match task {
                Some(Task::Change(_)) => "Called about an appointment. The calendar could not be reached.",
                _ => "Would like to book an appointment. The calendar could not be reached.",
            };
            message::leave_note(turn, what.to_owned());
        }
    }
}
