//! Whole calls, as the caller hears them: what is said, and a part of the answer.

use super::world::World;
use crate::call::brain::playbook::{Error, Playbook, phrases};
use crate::call::brain::{Brain, Context, Question, Thought};
use crate::call::conversation::ExpectationKind;
use crate::types::*;

/// Plays a script of what the caller says and what must be in the answer.
fn play(world: &mut World, lines: &[(&str, &str)]) {
    println!("R: {}", world.ask(Question::Greeting));
    for (line, expected) in lines {
        let answer = world.say(line);
        println!("C: {line}\nR: {answer}");
        assert!(answer.contains(expected), "after \"{line}\": no \"{expected}\" in \"{answer}\"");
    }
}

fn ended(world: &World, why: EndReason) -> bool {
    matches!(world.last(), Thought::End { reason } if *reason == why)
}

fn starts(world: &World) -> Vec<String> {
    world.bookings.iter().map(|each| world.now.time_zone().to_datetime(each.slot.start).to_string()).collect()
}

#[test]
fn an_appointment_is_booked_step_by_step() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("i'd like to book a men's haircut", "What day and time"),
            ("tomorrow at three", "What name"),
            ("sam taylor", "ends in one two three"),
            (
                "yes",
                "So that's a men's haircut with Anna, tomorrow, Thursday the twenty-sixth of November, at three o'clock in the afternoon, for Sam Taylor",
            ),
            ("yes please", "That's booked"),
            ("no thank you", "Goodbye"),
        ],
    );
    assert_eq!(starts(&world), ["2026-11-26T15:00:00"]);
    assert_eq!(world.heading, Heading::Booked);
    assert!(ended(&world, EndReason::Completed));
    assert!(world.summary().starts_with("Sam Taylor booked"), "{}", world.summary());
}

#[test]
fn one_sentence_can_say_it_all() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("a colour with anna tomorrow at three for sam taylor", "Shall I book it?"),
            ("yes", "That's booked"),
        ],
    );
    assert_eq!(starts(&world), ["2026-11-26T15:00:00"]);
    assert_eq!(
        world.bookings[0].contact.number.as_ref().map(|each| each.reveal().as_str()),
        Some("+447700900123")
    );
}

#[test]
fn nothing_is_booked_before_the_caller_agrees_nor_said_to_be_before_the_calendar_does() {
    for (outcome, expected) in [
        (ToolOutcome::Unknown { why: "timeout".into() }, "I've requested"),
        (ToolOutcome::Failed { why: "down".into() }, "nothing is booked yet"),
        (ToolOutcome::Refused { why: "we need a day's notice".into() }, "we need a day's notice"),
        (ToolOutcome::SlotTaken { alternatives: vec![] }, "somebody has just taken that time"),
    ] {
        let mut world = World::new();
        play(&mut world, &[("a colour with anna tomorrow at three for sam taylor", "Shall I book it?")]);
        assert!(world.calls.iter().all(|call| matches!(call, ToolCall::FindSlots { .. })));
        world.instead = vec![outcome];
        let answer = world.say("yes");
        assert!(answer.contains(expected) && !answer.contains("That's booked"), "{answer}");
        assert_ne!(world.heading, Heading::Booked);
    }
}

#[test]
fn a_mind_can_be_changed_before_it_is_booked() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("a colour with anna tomorrow at three for sam parker", "Shall I book it?"),
            ("no it's friday", "Friday the twenty-seventh of November, at three o'clock"),
            ("actually make it four", "Friday the twenty-seventh of November, at four o'clock"),
            ("no with a b", "for Sam Barker"),
            ("no use another number", "What's the best number"),
            ("oh two oh seven nine four six", "rest of the number"),
            ("double oh one two", "nine four six, oh oh one two"),
            ("no the last two digits are seven eight", "nine four six, oh oh seven eight"),
            ("how long does it take", "an hour and a half"),
            ("yes", "That's booked"),
        ],
    );
    assert_eq!(starts(&world), ["2026-11-27T16:00:00"]);
    assert_eq!(world.bookings[0].contact.name, Some("Sam Barker".into()));
    assert_eq!(
        world.bookings[0].contact.number.as_ref().map(|each| each.reveal().as_str()),
        Some("02079460078")
    );
}

#[test]
fn what_is_offered_can_be_chosen_in_many_ways() {
    for (choice, start) in [
        ("the first one", "2026-11-28T09:00:00"),
        ("the second", "2026-11-28T12:00:00"),
        ("noon please", "2026-11-28T12:00:00"),
        ("the last one", "2026-11-28T15:30:00"),
        ("half past three", "2026-11-28T15:30:00"),
        ("number two", "2026-11-28T12:00:00"),
        ("i don't mind", "2026-11-28T09:00:00"),
        ("ten thirty", "2026-11-28T10:30:00"),
    ] {
        let mut world = World::new();
        play(
            &mut world,
            &[
                (
                    "my name is jo and i need a beard trim on saturday",
                    "nine o'clock, noon or half past three",
                ),
                (choice, ""),
                ("yes", "That's booked"),
            ],
        );
        assert_eq!(starts(&world), [start], "{choice}");
    }
}

#[test]
fn a_taken_time_leads_to_the_nearest_ones() {
    let mut world = World::new();
    world.take("anna", "2026-11-26T15:00");
    play(
        &mut world,
        &[
            (
                "colour tomorrow at three",
                "three o'clock tomorrow isn't free. The nearest I have is tomorrow at two o'clock, half past two or half past three",
            ),
            ("anything later", "four o'clock"),
            ("another day", "Friday"),
            ("what about sunday at noon", "closed on Sunday"),
        ],
    );
}

#[test]
fn questions_are_answered_from_the_profile_alone() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("what time do you close today", "We close at six o'clock today"),
            ("and on sunday", "We're closed on Sunday"),
            (
                "are you open on christmas day",
                "closed on Friday the twenty-fifth of December, for the Christmas holidays",
            ),
            ("are you open at five on saturday", "No, on Saturday"),
            ("what are your opening hours", "Tuesday to Friday from nine o'clock to six o'clock"),
            ("is there somewhere to park", "behind the building"),
            ("how much is a colour", "seventy pounds"),
            ("and a beard trim", "I don't have a price"),
            ("how long does a women's haircut take", "an hour"),
            ("where are you", "twelve High Street"),
            ("how do i get there", "Camden Town station"),
            ("are you a robot", "not a person"),
            ("do you do massages", "I don't know that"),
            ("no", "anything else"),
            ("no that's all thank you bye", "Goodbye"),
        ],
    );
    assert_eq!(world.heading, Heading::Question);
}

#[test]
fn a_question_and_a_wish_in_one_breath() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            (
                "are you open saturday and can i book a beard trim",
                "We're open on Saturday the twenty-eighth of November from nine o'clock to four o'clock. I have Saturday",
            ),
            ("do you have parking", "behind the building. I have Saturday"),
        ],
    );
}

#[test]
fn appointments_are_moved_cancelled_and_told() {
    let mut world = World::new();
    world.with_booking("mens", "ben", "2026-11-27T15:00", "Sam Taylor", "+447700900123");
    world.with_booking("colour", "anna", "2026-12-03T11:00", "Sam Taylor", "+447700900123");
    play(
        &mut world,
        &[
            ("when is my appointment", "a men's haircut with Ben on Friday"),
            (
                "i need to move my appointment on friday to saturday at ten",
                "from Friday the twenty-seventh of November at three o'clock to Saturday the twenty-eighth of November, at ten o'clock",
            ),
            ("yes", "That's moved"),
            ("and cancel my colour please", "Shall I cancel it?"),
            ("no", "leave it as it is"),
            ("i need to cancel an appointment", "Which one do you mean?"),
            ("the second one", "a colour with Anna"),
            ("yes", "That's cancelled"),
        ],
    );
    assert_eq!(world.bookings[1].state, BookingState::Cancelled);
    assert_eq!(starts(&world)[0], "2026-11-28T10:00:00");
}

#[test]
fn an_appointment_is_found_by_name_and_number_together() {
    let mut world = World::new();
    world.caller = None;
    world.with_booking("mens", "ben", "2026-11-27T15:00", "Sam Taylor", "+447700900456");
    play(
        &mut world,
        &[
            ("i need to cancel my appointment", "What name"),
            ("sam taylor", "phone number"),
            ("oh seven seven double oh nine hundred nine nine nine", "can't find"),
            ("no thanks", "anything else"),
        ],
    );
    let mut world = World::new();
    world.caller = None;
    world.with_booking("mens", "ben", "2026-11-27T15:00", "Sam Taylor", "+447700900456");
    play(
        &mut world,
        &[
            ("i can't make my appointment can i cancel it", "What name"),
            ("sam taylor", "phone number"),
            ("oh seven seven double oh nine hundred four five six", "Shall I cancel it?"),
            ("yes please", "That's cancelled"),
        ],
    );
}

#[test]
fn a_message_is_read_back_and_corrected() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("can i leave a message for anna", "What would you like me to tell Anna?"),
            ("the parcel is coming on monday", "your name"),
            ("sam parker", "number you're calling from"),
            ("yes", "The parcel is coming on monday"),
            ("no it's tuesday", "The parcel is coming on tuesday"),
            ("no with a b", "Sam Barker"),
            ("yes", "Anna gets your message"),
        ],
    );
    let ToolCall::TakeMessage { recipient, text, from, .. } = &world.messages[0] else {
        panic!("no message")
    };
    assert_eq!(recipient.as_deref(), Some("Anna"));
    assert_eq!(text.reveal(), "the parcel is coming on tuesday");
    assert_eq!(from.name, Some("Sam Barker".into()));
    assert_eq!(world.heading, Heading::Message);
}

#[test]
fn the_second_misunderstanding_leads_to_a_message() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("blah fribble gonk", "I didn't understand that. I can book"),
            ("wibble wobble", "I'll take a message"),
            ("i want my money back", "your name"),
            ("jo", "number you're calling from"),
            ("yes", "I want my money back"),
            ("yes", "the team gets your message"),
        ],
    );
    assert_eq!(world.messages.len(), 1);
}

#[test]
fn calls_go_to_people_by_rule() {
    let to = |world: &World| match world.last() {
        Thought::Transfer { name, .. } => name.clone(),
        other => format!("{other:?}"),
    };
    for (line, name) in [
        ("i want to speak to a real person", "the manager"),
        ("can i speak to accounts please", "accounts"),
        ("put me through to maria", "the manager"),
        ("she has an allergic reaction to the dye", "the manager"),
    ] {
        let mut world = World::new();
        world.ask(Question::Greeting);
        world.say(line);
        assert_eq!(to(&world), name, "{line}");
        let answer = world.ask(Question::TransferFailed { status: 486 });
        assert!(answer.contains("on another call") && answer.contains("message"), "{answer}");
        assert_ne!(world.heading, Heading::Transferred);
    }
    let mut world = World::new();
    world.caller = PhoneNumber::parse("07700 900999");
    world.ask(Question::Greeting);
    assert_eq!(to(&world), "the manager");
    let mut world = World::at("2026-11-25T20:00[Europe/London]".parse().unwrap());
    play(
        &mut world,
        &[("i want to speak to a person", "isn't available"), ("yes", "What would you like me to tell")],
    );
}

#[test]
fn the_talk_itself_can_be_steered() {
    let mut world = World::new();
    play(
        &mut world,
        &[
            ("can i book a beard trim", "What day and time"),
            ("pardon", "What day and time"),
            ("slow down please", "Of course."),
            ("hold on", "Take your time."),
            ("never mind", "No problem."),
            ("you stupid machine", "I'm sorry that this is frustrating"),
            ("call an ambulance", "dial nine nine nine"),
            ("sorry i think i have the wrong number", "goodbye"),
        ],
    );
    assert!(ended(&world, EndReason::WrongNumber));
}

#[test]
fn a_doubtful_or_early_yes_books_nothing() {
    let mut world = World::new();
    play(&mut world, &[("a colour with anna tomorrow at three for sam taylor", "Shall I book it?")]);
    let doubtful = Question::Heard { text: "yes".into(), confidence: 0.1, interrupted_after: None };
    assert!(world.ask(doubtful).contains("was that a yes?"));
    let early = Question::Heard { text: "yes".into(), confidence: 0.9, interrupted_after: Some("So".into()) };
    world.say("tomorrow at four");
    assert!(world.ask(early).contains("Shall I book it?"));
    assert!(world.bookings.is_empty());
}

#[test]
fn keys_and_silence_are_understood() {
    let mut world = World::new();
    play(&mut world, &[("my name is jo and i want a colour tomorrow", "Which would suit you?")]);
    assert!(world.ask(Question::Digits("2".into())).contains("Shall I book it?"));
    assert!(world.ask(Question::Silence { times: 1 }).starts_with("Are you still there?"));
    assert!(world.ask(Question::Digits("1#".into())).contains("That's booked"));
    assert!(world.ask(Question::Silence { times: 3 }).contains("Goodbye"));
    assert!(ended(&world, EndReason::Silence));
}

#[test]
fn the_recogniser_is_told_what_to_expect() {
    let mut world = World::new();
    world.caller = None;
    for (line, expect) in [
        ("a beard trim please", ExpectationKind::DateTime),
        ("tomorrow at ten", ExpectationKind::Name),
        ("jo", ExpectationKind::Digits),
        ("oh two oh seven nine four six double oh one two", ExpectationKind::Confirmation),
        ("yes", ExpectationKind::Open),
    ] {
        world.say(line);
        assert_eq!(world.last(), &Thought::Listen { expect }, "{line}");
    }
}

#[test]
fn bytes_of_another_version_are_refused() {
    let bytes = Playbook::new().to_bytes();
    assert_eq!(Playbook::from_bytes(&bytes), Ok(Playbook::new()));
    let other = String::from_utf8(bytes).unwrap().replace("\"version\":1", "\"version\":9");
    assert_eq!(Playbook::from_bytes(other.as_bytes()), Err(Error::Version { found: 9, expected: 1 }));
    assert!(matches!(Playbook::from_bytes(b"{}"), Err(Error::Corrupt { .. })));
}

/// The phrases given to the recogniser are ones that this brain has a use for.
#[test]
fn what_the_recogniser_expects_is_understood() {
    let world = World::new();
    let mut missed = Vec::new();
    let phrases = phrases(&world.business);
    let asked: Vec<&String> = phrases
        .iter()
        .filter(|phrase| phrase.starts_with("i'd like") || phrase.starts_with("are you open"))
        .collect();
    assert!(asked.len() > 60);
    for phrase in asked {
        let mut playbook = Playbook::new();
        let context = Context { business: &world.business, now: world.now.clone(), caller: None };
        let heard =
            Question::Heard { text: phrase.as_str().into(), confidence: 0.9, interrupted_after: None };
        let thoughts = playbook.think(&context, heard);
        if thoughts.iter().any(|thought| matches!(thought, Thought::Say { text } if text.contains("I'm sorry") || text.contains("I don't know"))) {
            missed.push(phrase.clone());
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}
