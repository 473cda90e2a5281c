//! What this business's callers say, for a recogniser's language model.

use crate::types::Business;

const DAYS: [&str; 14] = [
    "today",
    "tomorrow",
    "the day after tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "next week",
    "this weekend",
    "next tuesday",
    "a week from thursday",
];
const HOURS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const COMMON: &[&str] = &[
    "yes",
    "no",
    "yes please",
    "no thank you",
    "that is right",
    "that is correct",
    "that's right",
    "no that's wrong",
    "yes that's fine",
    "okay",
    "sure",
    "thank you",
    "thank you goodbye",
    "goodbye",
    "bye",
    "no that's all thank you",
    "that's all",
    "hello",
    "hi",
    "can you repeat that please",
    "say that again",
    "pardon",
    "slow down please",
    "hold on",
    "one moment please",
    "never mind",
    "start over",
    "wrong number",
    "sorry wrong number",
    "i'd like to make an appointment",
    "i'd like to book an appointment",
    "can i book an appointment",
    "i need to cancel my appointment",
    "i'd like to cancel my appointment",
    "i need to move my appointment",
    "can i reschedule my appointment",
    "i'd like to change my appointment",
    "when is my appointment",
    "i'd like to leave a message",
    "can i leave a message",
    "please call me back",
    "i'm running late",
    "can i speak to somebody",
    "i want to speak to a person",
    "can i talk to a human",
    "are you a robot",
    "what are your opening hours",
    "are you open today",
    "when do you open",
    "when do you close",
    "when do you close today",
    "are you open at the weekend",
    "where are you",
    "what's your address",
    "how do i get there",
    "how much is it",
    "how long does it take",
    "what services do you offer",
    "do you have anything free",
    "the first one",
    "the second one",
    "the third one",
    "the last one",
    "anything earlier",
    "anything later",
    "another day please",
    "as soon as possible",
    "i don't mind",
    "either is fine",
    "what do you have",
    "my name is",
    "the name is",
    "it's",
    "the number is",
    "yes use this number",
    "no a different number",
    "make it",
    "actually make it",
    "no it's",
    "no with a b",
    "as in",
    "for",
    "double",
    "triple",
    "oh",
    "zero",
    "plus",
    "in the morning",
    "in the afternoon",
    "in the evening",
    "first thing in the morning",
    "after lunch",
    "before lunch",
];

fn plain(text: &str) -> String {
    let kept: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sentences and words to expect from this business's callers: lower case, without punctuation.
#[must_use]
pub fn phrases(business: &Business) -> Vec<String> {
    let mut found: Vec<String> = COMMON.iter().map(|each| (*each).to_owned()).collect();
    found.push("a b c d e f g h i j k l m n o p q r s t u v w x y z".to_owned());
    found.push("zero one two three four five six seven eight nine oh".to_owned());
    found.push(
        "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec \
         romeo sierra tango uniform victor whiskey x-ray yankee zulu"
            .to_owned(),
    );
    times(&mut found);
    let mut services: Vec<String> = Vec::new();
    for service in &business.services {
        services.extend(std::iter::once(&service.name).chain(&service.also_called).map(|name| plain(name)));
    }
    for service in &services {
        for lead in [
            "i'd like",
            "i'd like to book",
            "can i book",
            "i need",
            "can i get",
            "how much is",
            "how long is",
            "do you do",
            "",
        ] {
            found.push(plain(&format!("{lead} {service}")));
            found.push(plain(&format!("{lead} a {service}")));
        }
        for day in DAYS {
            found.push(format!("i'd like a {service} {day}"));
            found.push(format!("a {service} {day} at three"));
            found.push(format!("can i book a {service} {day} morning"));
        }
    }
    for resource in &business.resources {
        let name = plain(&resource.name);
        for lead in ["with", "can i see", "is", "i'd like to see", "a message for", "can i speak to"] {
            found.push(format!("{lead} {name}"));
        }
        found.extend(services.iter().map(|service| format!("a {service} with {name}")));
    }
    for department in &business.departments {
        for name in std::iter::once(&department.name).chain(&department.also_called) {
            let name = plain(name);
            for lead in ["", "can i speak to", "put me through to", "a message for", "i need"] {
                found.push(plain(&format!("{lead} {name}")));
            }
        }
    }
    found.extend(business.faqs.iter().flat_map(|faq| &faq.questions).map(|question| plain(question)));
    for rule in &business.transfer_rules {
        if let crate::types::Condition::CallerSays(phrases) = &rule.when {
            found.extend(phrases.iter().map(|phrase| plain(phrase)));
        }
    }
    found.push(plain(&business.name));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|phrase| !phrase.is_empty() && seen.insert(phrase.clone()));
    found
}

fn times(found: &mut Vec<String>) {
    for hour in HOURS {
        found.push(format!("at {hour}"));
        found.push(format!("{hour} o'clock"));
        found.push(format!("half past {hour}"));
        found.push(format!("quarter past {hour}"));
        found.push(format!("quarter to {hour}"));
        found.push(format!("{hour} thirty"));
        found.push(format!("around {hour}"));
        found.push(format!("after {hour}"));
        found.push(format!("before {hour}"));
        found.push(format!("actually make it {hour}"));
        for half in ["p m", "a m", "in the morning", "in the afternoon"] {
            found.push(format!("{hour} {half}"));
        }
    }
    for day in DAYS {
        found.push(day.to_owned());
        found.push(format!("on {day}"));
        found.push(format!("{day} morning"));
        found.push(format!("{day} afternoon"));
        found.push(format!("are you open {day}"));
        found.push(format!("are you open on {day}"));
        found.push(format!("do you have anything {day}"));
        found.extend(HOURS.iter().map(|hour| format!("{day} at {hour}")));
    }
    for month in super::parse::date::MONTHS {
        for day in 1..=31 {
            let day = super::parse::number::ordinal_word(day).replace('-', " ");
            found.push(format!("the {day} of {month}"));
        }
    }
}
