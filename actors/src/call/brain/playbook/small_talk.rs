//! What is said around the matter: hello, thanks, who are you, goodbye.

use super::intent::Intent;
use super::state::{Asked, Done};
use super::turn::Turn;
use super::{question, say, transfer};
use crate::call::brain::Opening;
use crate::types::{EndReason, Heading};

/// The call was answered.
pub(crate) fn greet(turn: &mut Turn<'_, '_>) {
    let business = turn.business();
    let greeting = business.policy.greeting.clone();
    let sent_on =
        business.transfer_rules.iter().any(|rule| matches!(rule.when, crate::types::Condition::CallerIs(_)));
    let welcome =
        greeting.unwrap_or_else(|| format!("Thank you for calling {}. How can I help you?", business.name));
    if sent_on {
        let before = turn.thoughts.len();
        let hello = format!("Thank you for calling {}.", business.name);
        turn.say(hello);
        if transfer::on_greeting(turn) {
            return;
        }
        turn.thoughts.truncate(before);
        turn.forget_spoken();
    }
    turn.ask(Asked::Open, welcome);
    // What silence brings back is the question, not the whole greeting.
    turn.state.question = "How can I help you?".into();
}

/// The call begins otherwise than with the business's greeting.
pub(crate) fn open(turn: &mut Turn<'_, '_>, opening: Opening) {
    let name = turn.business().name.clone();
    match opening {
        Opening::Greeting => greet(turn),
        Opening::AskNumber => {
            turn.say(format!("Thank you for calling {name}."));
            turn.ask(Asked::Number, "Your number isn't shown. What number can we reach you on?");
        }
        Opening::Message(text) => {
            turn.say(text);
            turn.end(EndReason::Completed);
        }
        Opening::CalledBack { cut_off } => {
            let why = if cut_off { "your call to us was cut off" } else { "you called and nobody answered" };
            turn.say(format!("Hello, this is the automated receptionist of {name}."));
            turn.ask(Asked::Open, format!("I'm calling you back because {why}. How can I help you?"));
            turn.state.question = "How can I help you?".into();
        }
    }
}

/// Answers small talk; leaves the turn open. `false` where it is none.
pub(crate) fn answer(turn: &mut Turn<'_, '_>, intent: Intent) -> bool {
    let business = turn.business();
    let text = match intent {
        Intent::Robot => format!(
            "I'm an automated receptionist for {}, not a person. If you'd rather speak to somebody, just say so.",
            business.name
        ),
        Intent::WhoIsThis => format!("This is the automated receptionist of {}.", business.name),
        Intent::Help => question::abilities(turn),
        Intent::HowAreYou => "I'm very well, thank you.".to_owned(),
        Intent::Hello => "Hello.".to_owned(),
        Intent::Rude => "I'm sorry that this is frustrating. I'd like to help.".to_owned(),
        _ => return false,
    };
    turn.say(text);
    true
}

/// Somebody is in danger: nothing here can help them, the emergency services can.
pub(crate) fn emergency(turn: &mut Turn<'_, '_>) {
    let number = say::emergency_number(&turn.business().language);
    turn.ask(
        Asked::Open,
        format!("If this is an emergency, please hang up now and dial {number}. I can't call them for you."),
    );
}

pub(crate) fn goodbye(turn: &mut Turn<'_, '_>) {
    let name = turn.business().name.clone();
    turn.say(format!("Thank you for calling {name}. Goodbye."));
    turn.end(EndReason::Completed);
}

pub(crate) fn wrong_number(turn: &mut Turn<'_, '_>) {
    let name = turn.business().name.clone();
    turn.about(Heading::WrongNumber);
    turn.did(Done::WrongNumber);
    turn.say(format!("No problem at all. This is {name}. Sorry for the confusion, and goodbye."));
    turn.end(EndReason::WrongNumber);
}
