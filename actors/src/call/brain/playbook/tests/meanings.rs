//! What the words say against what they mean, where a model says so.

use super::world::World;
use crate::call::brain::Question;
use crate::call::brain::playbook::Meaning;
use crate::call::brain::playbook::intent::{Intent, Scored};

/// A caller's first words, with a model that is sure of `means`, or of nothing.
fn first(text: &str, means: Option<Scored>) -> (World, String) {
    let mut world = World::new();
    world.ask(Question::Greeting);
    world.meaning = Some(Meaning::told(means));
    let answer = world.say(text);
    (world, answer)
}

#[test]
fn weak_words_yield_to_the_meaning_and_strong_ones_do_not() {
    let parking = Some((Intent::Faq(0), 0.6));
    let (_, answer) = first("i am driving over for my colour where does it go", parking);
    assert!(answer.contains("car park"), "a service that is named is no booking: {answer}");
    let (_, answer) = first("i would like to book a colour", parking);
    assert!(answer.contains("What day"), "beyond doubt: {answer}");
    let mut without = World::new();
    without.ask(Question::Greeting);
    let answer = without.say("i am driving over for my colour where does it go");
    assert!(answer.contains("What day"), "without a model words are all there is: {answer}");
}

#[test]
fn what_is_only_named_is_a_booking_whatever_the_model_makes_of_it() {
    let (_, answer) = first("a colour tomorrow at three please", None);
    assert!(answer.contains("What name"), "{answer}");
}

#[test]
fn a_doubtful_wish_is_asked_about_and_a_yes_keeps_what_was_said() {
    let doubtful = "my wedding comes up so a colour tomorrow at three might be nice";
    let (mut world, answer) = first(doubtful, None);
    assert!(answer.contains("I think you'd like to book an appointment. Is that right?"), "{answer}");
    assert!(world.bookings.is_empty());
    let answer = world.say("yes please");
    assert!(answer.contains("What name"), "service, day and time were said before: {answer}");
    let (mut world, _) = first(doubtful, None);
    assert!(world.say("no").contains("What can I do for you?"));
}

const GUESS: &str = "I think you'd like to book an appointment. Is that right?";
const LOST: &str = "I'm still not following. I'll take a message, and somebody will call you back.";

#[test]
fn who_says_no_again_and_again_is_not_asked_for_ever() {
    let (mut world, answer) = first("my wedding comes up so a colour tomorrow at three might be nice", None);
    assert!(answer.contains(GUESS), "{answer}");
    let answer = world.say("no");
    assert!(answer.contains("All right. What can I do for you?"), "{answer}");
    assert!(world.say("my sister had a beard trim here on tuesday you see").contains(GUESS));
    let answer = world.say("no that's not it");
    assert!(answer.contains(LOST) && answer.contains("What would you like me to tell them?"), "{answer}");
}

#[test]
fn a_no_counts_like_words_that_were_not_understood_and_a_yes_begins_anew() {
    let doubtful = "my wedding comes up so a colour tomorrow at three might be nice";
    let (mut world, _) = first("the penguins came round twice this week", None);
    assert!(world.say(doubtful).contains(GUESS));
    assert!(world.say("no").contains(LOST), "the second in a row");
    let (mut world, _) = first(doubtful, None);
    assert!(world.say("no").contains("What can I do for you?"));
    assert!(world.say("my sister had a beard trim here on tuesday you see").contains(GUESS));
    assert!(world.say("yes").contains("Which would suit you?"));
    let answer = world.say("splunge wobble frum");
    assert!(answer.contains("I didn't catch that"), "the first in a row: {answer}");
}

#[test]
fn who_is_hardly_heard_again_and_again_is_not_asked_for_ever() {
    let mut world = World::new();
    world.ask(Question::Greeting);
    let mut mumble = || {
        let text = "i would like to book a colour".into();
        world.ask(Question::Heard { text, confidence: 0.1, interrupted_after: None })
    };
    let answers = [mumble(), mumble(), mumble()];
    assert!(
        answers[0].contains(GUESS) && answers[1].contains(GUESS) && answers[2].contains(LOST),
        "{answers:?}"
    );
}

#[test]
fn to_decline_an_offer_is_no_misunderstanding() {
    let mut world = World::new();
    world.ask(Question::Greeting);
    for _ in 0..3 {
        assert!(world.say("do you do beard trims").contains("Would you like to book one?"));
        assert!(world.say("no thanks").contains("What can I do for you?"));
    }
}

#[test]
fn who_is_not_understood_is_asked_again_and_then_offered_a_message() {
    let (mut world, answer) = first("the penguins came round twice this week", None);
    assert!(
        answer.contains("I didn't understand that") && answer.contains("What would you like to do?"),
        "{answer}"
    );
    let answer = world.say("they went off with all of the biscuits");
    assert!(answer.contains("I'll take a message"), "{answer}");
    let (_, answer) = first("who painted the ceiling in the old chapel", None);
    assert!(answer.contains("I'm afraid I don't know that. Shall I take a message"), "{answer}");
}

#[test]
fn answers_to_our_questions_are_read_by_their_words() {
    let mut world = World::new();
    world.ask(Question::Greeting);
    assert!(world.say("i would like to book a colour").contains("What day"));
    world.meaning = Some(Meaning::told(Some((Intent::Cancel, 0.9))));
    let answer = world.say("well how about tomorrow at three then");
    assert!(answer.contains("What name"), "{answer}");
}
