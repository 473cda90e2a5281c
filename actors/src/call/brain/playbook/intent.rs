//! What a caller wants, by retrieval over examples.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::lexical::Index;
use crate::types::Business;

/// Something a caller may want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Intent {
    Book,
    Move,
    Cancel,
    /// "When is my appointment?"
    Mine,
    Hours,
    Address,
    Directions,
    Services,
    Price,
    Duration,
    Staff,
    Message,
    Person,
    Department,
    WrongNumber,
    Robot,
    WhoIsThis,
    /// "What is your number?"
    OurNumber,
    Help,
    Goodbye,
    Thanks,
    Hello,
    HowAreYou,
    Repeat,
    SlowDown,
    StartOver,
    Hold,
    Emergency,
    Rude,
    Faq(usize),
}

impl Intent {
    /// A question: answered in one breath, without leaving what is being done.
    pub(crate) const fn is_question(self) -> bool {
        matches!(
            self,
            Self::Hours
                | Self::Address
                | Self::Directions
                | Self::Services
                | Self::Price
                | Self::Duration
                | Self::Staff
                | Self::Robot
                | Self::WhoIsThis
                | Self::OurNumber
                | Self::Help
                | Self::HowAreYou
                | Self::Faq(_)
        )
    }

    /// Its name, as it is written.
    pub(crate) fn name(self) -> String {
        let written = serde_json::to_value(self).unwrap_or_default();
        match (self, written.as_str()) {
            (Self::Faq(number), _) => format!("faq {number}"),
            (_, name) => name.unwrap_or_default().to_owned(),
        }
    }

    /// Something that takes several steps.
    pub(crate) const fn is_task(self) -> bool {
        matches!(
            self,
            Self::Book
                | Self::Move
                | Self::Cancel
                | Self::Mine
                | Self::Message
                | Self::Person
                | Self::Department
        )
    }
}

/// Examples; `_when`, `_service`, `_staff` and `_department` stand for what was recognised there.
#[rustfmt::skip]
const EXAMPLES: &[(Intent, &[&str])] = &[
    (Intent::Book, &[
        "book an appointment", "i would like to book", "i would like an appointment", "make an appointment", "can i book a _service",
        "book _service", "book _service _when", "do you have anything _when", "do you have anything free _when", "do you have any availability _when",
        "have you got any space _when", "have you got any slots", "are there any appointments _when", "is there anything available _when",
        "can you fit me in _when", "can you squeeze me in", "i need a _service", "i want a _service", "i would like a _service", "get a _service",
        "can i get a _service _when", "can i have a _service", "can i see _staff", "can i come in _when", "could i come in for a _service",
        "i am looking to book in", "book me in", "put me down for _when", "schedule an appointment", "set up an appointment",
        "make a reservation", "reserve a table", "i am calling to make a booking", "is _staff free _when", "is _staff available _when",
        "when is the next available appointment", "what is the earliest you have", "what times do you have _when", "i need to see someone _when",
        "looking for an appointment", "another appointment", "can i book one", "book one please", "can i book that", "i would like to book one",
        "can i book it", "can i book _staff",
    ]),
    (Intent::Move, &[
        "reschedule my appointment", "move my appointment", "change my appointment", "change my booking", "i need to reschedule",
        "can i move my _service to _when", "can i change the time", "change the date of my appointment", "postpone my appointment",
        "push back my appointment", "bring my appointment forward", "i can not make my appointment can i come another time", "move it to _when",
        "could i come on a different day", "i would like to move my booking",
    ]),
    (Intent::Cancel, &[
        "cancel my appointment", "i need to cancel", "cancel my booking", "i want to cancel my _service", "i can not make it _when",
        "i will not be able to come", "call off my appointment", "i can not come _when", "please cancel my appointment _when",
        "i do not need my appointment any more", "i have to cancel",
    ]),
    (Intent::Mine, &[
        "when is my appointment", "what time is my appointment", "do i have an appointment", "i forgot when my appointment is",
        "can you check my booking", "confirm my appointment time", "am i booked in", "check my appointment", "what day is my _service",
    ]),
    (Intent::Hours, &[
        "what are your opening hours", "when are you open", "are you open _when", "are you open", "what time do you open", "what time do you close",
        "when do you close _when", "how late are you open", "until what time are you open", "are you closed _when", "are you closed",
        "what are your hours", "what time do you shut", "when do you open _when", "business hours", "opening times", "do you open _when", "what time are you open until",
        "do you work weekends", "are you open at weekends",
    ]),
    (Intent::Address, &[
        "where are you", "what is your address", "where are you located", "where can i find you", "which street are you on", "what is the postcode",
        "where is the shop", "where is your office", "where is the salon", "where is the surgery", "your location",
    ]),
    (Intent::Directions, &[
        "how do i get there", "how do i find you", "can you give me directions", "directions please", "which bus goes there", "what is the nearest station",
        "how can i get to you", "is it easy to find",
    ]),
    (Intent::Services, &[
        "what services do you offer", "what do you do", "what can i book", "what kind of treatments do you have", "do you do _service",
        "do you offer _service", "what do you offer", "list of services", "which services do you have", "what appointments do you have",
    ]),
    (Intent::Price, &[
        "how much is a _service", "how much does it cost", "what does a _service cost", "what is the price of a _service", "how much do you charge for _service",
        "what are your prices", "how much is it", "price list", "how much would that be", "what is the cost", "how expensive is _service",
    ]),
    (Intent::Duration, &[
        "how long does a _service take", "how long does it take", "how long is the appointment", "how many minutes is a _service", "how long will it be",
        "how long is a _service",
    ]),
    (Intent::Staff, &[
        "who works there", "who are your staff", "which stylists do you have", "who does the _service", "who do you have", "does _staff work _when",
        "is _staff in _when", "is _staff working _when", "does _staff still work there", "who could i see",
    ]),
    (Intent::Message, &[
        "can i leave a message", "leave a message for _staff", "i would like to leave a message", "take a message", "can you tell _staff",
        "pass on a message", "could you let _staff know", "let them know", "ask _staff to call me back", "can somebody call me back", "can you give _staff a message",
        "please call me back", "have them call me", "i am running late", "i will be late for my appointment", "tell them i am going to be late",
        "ask them to ring me", "can you get _staff to call me", "request a callback",
    ]),
    (Intent::Person, &[
        "i want to speak to a person", "can i speak to someone", "talk to a human", "speak to a real person", "put me through to someone",
        "can i talk to somebody", "i would rather speak to a person", "get me a human", "real person please", "operator", "can i speak to the manager",
        "transfer me to a person", "is there anybody i can talk to", "i want a person", "let me speak to somebody", "connect me to an agent", "speak to reception",
        "is there a real person there", "human please", "agent please", "i do not want to talk to a machine", "i do not want to talk to a robot",
    ]),
    (Intent::Department, &[
        "can i speak to _department", "put me through to _department", "_department please", "i need _department", "transfer me to _department",
        "connect me with _department", "is _department there", "i would like to talk to _department", "can i have _department", "could i speak to _staff",
        "can i talk to _staff", "put me through to _staff", "is _staff there", "i am calling for _department", "may i speak with _staff",
    ]),
    (Intent::WrongNumber, &[
        "wrong number", "sorry wrong number", "i have the wrong number", "i think i dialled the wrong number", "i must have called the wrong number",
        "this is not who i wanted", "who is this sorry i have the wrong number",
    ]),
    (Intent::Robot, &[
        "are you a robot", "are you a real person", "are you human", "am i talking to a machine", "is this a real person", "is this a machine",
        "are you an ai", "am i speaking to a computer", "is this a recording", "is this an answering machine", "are you a bot", "am i speaking to a robot", "am i talking to a robot", "are you a machine",
    ]),
    (Intent::WhoIsThis, &[
        "who is this", "who am i speaking to", "what is your name", "who are you", "which company is this", "is this the right place", "what place is this",
        "who have i reached",
    ]),
    (Intent::OurNumber, &["what is your phone number", "what number is this", "what number can i reach you on", "can you give me your telephone number"]),
    (Intent::Help, &[
        "what can you do", "help", "what can you help me with", "what are my options", "i need help", "can you help me", "i have a question",
        "what else can you do", "could you help me with something", "can i ask you something",
    ]),
    (Intent::Goodbye, &[
        "goodbye", "bye", "bye bye", "that is all", "that will be all", "that is everything", "nothing else", "have a nice day", "see you then",
        "see you tomorrow", "talk to you later", "i am done", "that is it thank you goodbye", "no that is all thank you", "all good thanks bye",
        "no i am good", "no that is it",
    ]),
    (Intent::Thanks, &["thank you", "thanks", "thank you very much", "thanks a lot", "cheers", "that is very helpful thank you", "brilliant thank you"]),
    (Intent::Hello, &["hello", "hi", "hi there", "good morning", "good afternoon", "good evening", "hey", "hello is anybody there", "hello can you hear me"]),
    (Intent::HowAreYou, &["how are you", "how are you doing", "how is it going", "are you well"]),
    (Intent::Repeat, &[
        "can you repeat that", "say that again", "pardon", "sorry what was that", "could you say that again please", "what did you say", "come again",
        "repeat please", "i did not catch that", "i did not hear you", "sorry i missed that", "one more time", "excuse me what", "what was that",
        "i beg your pardon",
    ]),
    (Intent::SlowDown, &["slow down", "can you speak more slowly", "slower please", "you are speaking too fast", "not so fast", "could you speak slowly", "too fast"]),
    (Intent::StartOver, &[
        "start over", "start again", "never mind", "forget it", "let us start from the beginning", "forget about it", "do not bother",
        "leave it", "i changed my mind", "i have changed my mind",
    ]),
    (Intent::Hold, &[
        "hold on", "one moment", "just a moment", "wait a minute", "give me a second", "hang on", "just a second", "bear with me", "let me check",
        "let me think", "one second", "hold on a minute", "let me get my calendar", "let me check my diary",
    ]),
    (Intent::Emergency, &[
        "call an ambulance", "i need an ambulance", "someone is having a heart attack", "she can not breathe", "he is not breathing", "there is a fire",
        "call the police", "i am having a heart attack", "this is a medical emergency", "someone is bleeding badly", "i think i am having a stroke", "call the fire brigade",
        "he is unconscious", "i want to kill myself", "i have chest pains",
    ]),
    (Intent::Rude, &[
        "fuck off", "fuck you", "shut up", "you are useless", "you are stupid", "piss off", "you idiot", "this is bullshit", "stupid machine", "go to hell",
        "what a load of crap", "screw you",
    ]),
];

static BUILT_IN: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index::default();
    for (key, (_, examples)) in EXAMPLES.iter().enumerate() {
        for example in *examples {
            index.add(key, example);
        }
    }
    index
});

/// All examples as callers would say them to this business, the business's own questions last. Those for what it
/// does not have are left out.
pub(crate) fn examples(business: &Business) -> Vec<(Intent, String)> {
    let names = [
        ("_service", business.services.first().map(|service| service.name.to_lowercase())),
        ("_when", Some("tomorrow".to_owned())),
        ("_staff", business.resources.first().map(|resource| resource.name.clone())),
        ("_department", business.departments.first().map(|department| department.name.clone())),
    ];
    let spoken = |example: &str| {
        names.iter().try_fold(example.to_owned(), |text, (class, name)| {
            if text.contains(class) { Some(text.replace(class, name.as_deref()?)) } else { Some(text) }
        })
    };
    let built_in = EXAMPLES.iter().flat_map(|(intent, examples)| {
        examples.iter().filter_map(|example| Some((*intent, spoken(example)?))).collect::<Vec<_>>()
    });
    let own = business.faqs.iter().enumerate().flat_map(|(key, faq)| {
        faq.questions.iter().map(move |question| (Intent::Faq(key), question.clone()))
    });
    built_in.chain(own).collect()
}

/// An intent and how sure it is, from 0 to 1.
pub(crate) type Scored = (Intent, f32);

/// The intents of one clause, best first. `masked` has class words for what was recognised, `plain` the words
/// as said, for the business's own questions.
pub(crate) fn classify<'a>(
    masked: impl Iterator<Item = &'a str>,
    plain: impl Iterator<Item = &'a str>,
    business: &Business,
) -> Vec<Scored> {
    let mut found: Vec<Scored> = BUILT_IN
        .search(masked)
        .into_iter()
        .filter_map(|(key, score)| EXAMPLES.get(key).map(|(intent, _)| (*intent, score)))
        .collect();
    let mut own = Index::default();
    for (key, faq) in business.faqs.iter().enumerate() {
        for question in &faq.questions {
            own.add(key, question);
        }
    }
    found.extend(own.search(plain).into_iter().map(|(key, score)| (Intent::Faq(key), score)));
    // Of equals, the business's own answer wins.
    let own = |intent: &Intent| matches!(intent, Intent::Faq(_));
    found.sort_by(|one, other| {
        other.1.total_cmp(&one.1).then(own(&other.0).cmp(&own(&one.0))).then(one.0.cmp(&other.0))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::world::World;
    use super::*;
    use crate::call::brain::Question;
    use crate::call::brain::playbook::heard::Heard;
    use crate::call::brain::playbook::settings::Settings;
    use crate::call::brain::playbook::state::State;
    use crate::call::brain::playbook::turn::Turn;

    /// The threshold lies between what means something and what does not.
    #[test]
    fn the_threshold_tells_wishes_from_noise() {
        let mut world = World::new();
        world.ask(Question::Greeting);
        let context =
            crate::call::brain::Context { business: &world.business, now: world.now.clone(), caller: None };
        let mut wrong = Vec::new();
        for (text, expected) in [
            ("hi i was wondering if i could book myself in for a colour next week", Some(Intent::Book)),
            ("have you got anything free on thursday afternoon", Some(Intent::Book)),
            ("i'd like to make an appointment please", Some(Intent::Book)),
            ("can you squeeze me in today", Some(Intent::Book)),
            ("something has come up and i need to reschedule", Some(Intent::Move)),
            ("could i change the time of my appointment", Some(Intent::Move)),
            ("i can't make it tomorrow", Some(Intent::Cancel)),
            ("please cancel my booking", Some(Intent::Cancel)),
            ("what time is my appointment on friday", Some(Intent::Mine)),
            ("what are your opening times", Some(Intent::Hours)),
            ("are you open this saturday", Some(Intent::Hours)),
            ("how late are you open today", Some(Intent::Hours)),
            ("where exactly are you located", Some(Intent::Address)),
            ("how much do you charge for a beard trim", Some(Intent::Price)),
            ("do you have a car park", Some(Intent::Faq(0))),
            ("can i pay with my card", Some(Intent::Faq(1))),
            ("could somebody call me back please", Some(Intent::Message)),
            ("can i talk to a human being", Some(Intent::Person)),
            ("am i speaking to a robot", Some(Intent::Robot)),
            ("sorry i've dialled the wrong number", Some(Intent::WrongNumber)),
            ("could you say that again please", Some(Intent::Repeat)),
            ("thank you very much", Some(Intent::Thanks)),
            ("splunge wobble frum", None),
            ("my aunt lives in a green house", None),
            ("purple monkey dishwasher", None),
            ("the capital of france is paris", None),
            ("seven", None),
        ] {
            let mut state = State::default();
            let turn = Turn::new(&context, &mut state, Settings::default());
            let heard = Heard::of(&turn, text, 0.9);
            let found = heard.intents.iter().map(|(intent, _)| *intent).next_back();
            if found != expected {
                wrong.push(format!("{text}: {:?}", heard.clauses));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
