//! Questions, answered from the business's profile and from nothing else.

mod hours;
mod people;
mod place;
mod services;

use super::heard::Heard;
use super::intent::Intent;
use super::state::Done;
use super::turn::Turn;
use super::{say, small_talk};
use crate::types::Heading;

/// Answers a question; `false` where the profile has no answer, and nothing was said. Leaves the turn open,
/// unless the answer is a question.
pub(crate) fn answer(turn: &mut Turn<'_, '_>, heard: &Heard, intent: Intent) -> bool {
    let (answered, about) = match intent {
        Intent::Hours => (hours::answer(turn, heard), "the opening hours".to_owned()),
        Intent::Address => (place::address(turn), "the address".to_owned()),
        Intent::Directions => (place::directions(turn), "how to find the business".to_owned()),
        Intent::OurNumber => (place::number(turn), "the phone number".to_owned()),
        Intent::Services => (services::offered(turn, heard), "the services".to_owned()),
        Intent::Price => (services::price(turn, heard), "a price".to_owned()),
        Intent::Duration => (services::duration(turn, heard), "how long an appointment takes".to_owned()),
        Intent::Staff => (people::staff(turn, heard), "the staff".to_owned()),
        Intent::Faq(index) => match turn.business().faqs.get(index) {
            Some(faq) => {
                turn.say(faq.answer.clone());
                let question = faq.questions.first().cloned().unwrap_or_default();
                (true, format!("\"{question}\""))
            }
            None => (false, String::new()),
        },
        other => return small_talk::answer(turn, other),
    };
    turn.state.answered = answered.then_some(intent);
    if answered {
        turn.about(Heading::Question);
        turn.did(Done::Answered(about));
    }
    answered
}

/// What callers can get here, in one sentence.
pub(crate) fn abilities(turn: &Turn<'_, '_>) -> String {
    let business = turn.business();
    let mut abilities = Vec::new();
    if !business.services.is_empty() {
        abilities.push("book, move or cancel an appointment".to_owned());
    }
    abilities.push("answer questions about opening hours and services".to_owned());
    abilities.push("take a message".to_owned());
    format!("I can {}.", say::list::or(&abilities))
}
