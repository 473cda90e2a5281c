//! Whole calls, as the caller hears them.

use super::world::World;
use crate::call::brain::{Question, Thought};
use crate::types::*;

/// Plays a script; prints it, so that a failure can be read.
fn play(world: &mut World, lines: &[&str]) -> Vec<String> {
    let mut heard = vec![world.ask(Question::Greeting)];
    for line in lines {
        println!("  R: {}", heard.last().unwrap());
        println!("C: {line}");
        heard.push(world.say(line));
    }
    println!("  R: {}", heard.last().unwrap());
    println!("  = {}", world.summary());
    heard
}

#[test]
fn explore() {
    for script in [
        &[
            "i'd like to book a men's haircut",
            "tomorrow at three",
            "sam taylor",
            "yes",
            "yes please",
            "no thank you",
        ][..],
        &["haircut with anna tomorrow at three for sam taylor", "men's", "yes"],
        &[
            "are you open saturday and can i book a beard trim",
            "saturday morning",
            "the second one",
            "no it's not",
            "my name is jo parker",
            "no use another number",
            "oh two oh seven nine four six double oh one two",
            "no with a b",
            "yes",
            "that's all thanks goodbye",
        ],
        &[
            "what time do you close today",
            "and on sunday",
            "are you open on christmas day",
            "do you have parking",
            "how much is a colour",
            "how long does it take",
            "can i book one",
            "next tuesday after lunch",
            "the first one please",
        ],
        &[
            "i need to cancel my appointment",
            "sam taylor",
            "oh seven seven double oh nine hundred four five six",
            "yes",
        ],
        &[
            "can i leave a message for anna",
            "please tell her the parcel is coming on monday",
            "sam taylor",
            "yes",
            "no it's tuesday",
            "no with an e at the end",
            "yes",
        ],
        &["blah fribble gonk", "wibble wobble", "i want my money back", "joe", "yes", "yes"],
        &["i want to speak to a person"],
        &["can i speak to accounts please"],
        &["are you a robot", "what can you do", "sorry wrong number"],
        &["call an ambulance"],
        &["do you do massages", "yes please", "sam", "yes", "yes"],
        &[
            "book a women's haircut as soon as possible",
            "the second",
            "how long does it take",
            "jane doe",
            "yes",
            "actually make it four",
            "yes",
        ],
        &["never mind", "goodbye"],
        &[
            "colour next wednesday at seven",
            "anything later",
            "another day",
            "thursday at ten",
            "sam taylor",
            "yes",
            "no make it friday",
            "yes",
        ],
    ] {
        println!("-----");
        play(&mut World::new(), script);
    }
    let mut world = World::new();
    world.with_booking("mens", "ben", "2026-11-27T15:00", "Sam Taylor", "+447700900123");
    world.with_booking("colour", "anna", "2026-12-03T11:00", "Sam Taylor", "+447700900123");
    println!("-----");
    play(
        &mut world,
        &[
            "i need to move my appointment on friday to saturday at ten",
            "yes",
            "when is my appointment",
            "the colour",
            "cancel my colour",
            "yes",
            "no bye",
        ],
    );
    let _ = (Heading::Nothing, Thought::GiveUp { why: String::new() });
}
