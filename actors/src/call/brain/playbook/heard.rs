//! Everything an utterance says, whatever was asked: answers, days and times, services, people, names, numbers,
//! and what the caller wants.

use std::ops::Range;

use super::intent::{Intent, Scored, classify};
use super::lexical::is_light;
use super::meaning::may_be_told;
use super::normalise::Words;
use super::parse::date_time::{When, when};
use super::parse::digits::Correction;
use super::parse::name::Named;
use super::parse::spelling::Edit;
use super::parse::{digits, email, name, spelling, yes_no};
use super::state::{Asked, State};
use super::turn::Turn;
use super::vocabulary::{self, Mention};
use crate::types::ServiceId;

/// What an utterance says.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// As it came.
    pub(crate) raw: String,
    pub(crate) words: Words,
    pub(crate) confidence: f32,
    /// Yes or no, where it begins with one.
    pub(crate) answer: Option<bool>,
    /// The answer and nothing more.
    pub(crate) bare: bool,
    pub(crate) when: When,
    pub(crate) services: Vec<Mention>,
    pub(crate) staff: Option<Mention>,
    /// "I don't mind who".
    pub(crate) any_staff: bool,
    pub(crate) department: Option<Mention>,
    pub(crate) name: Option<Named>,
    pub(crate) edit: Option<Edit>,
    pub(crate) number: Option<String>,
    pub(crate) correction: Option<Correction>,
    pub(crate) email: Option<String>,
    /// What is wanted, clause by clause, with scores.
    pub(crate) intents: Vec<Scored>,
    /// Whether what it names is no wish yet: its meaning was asked for, and is none that is known.
    pub(crate) vague: bool,
    /// What it then may still want, by words that leave doubt.
    pub(crate) maybe: Option<Intent>,
    /// The best score of anything, however low.
    pub(crate) clauses: Vec<Vec<Scored>>,
}

impl Heard {
    pub(crate) fn of(turn: &Turn<'_, '_>, raw: &str, confidence: f32) -> Self {
        let business = turn.business();
        let asked = &turn.state.asked;
        let words = Words::of(raw);
        let answer = answer_to(asked, &words);
        let wants_number =
            matches!(asked, Asked::Number | Asked::OwnNumber | Asked::Confirm | Asked::WhatToChange);
        let number = digits::longest(&words, if matches!(asked, Asked::Number) { 1 } else { 7 });
        let number_span = number.as_ref().map(|(_, from, length)| *from..from + length);
        let bare_time = matches!(asked, Asked::When | Asked::Half | Asked::Slot | Asked::WhichBooking)
            || turn.state.task.is_some() && matches!(asked, Asked::Confirm | Asked::WhatToChange);
        let when = if matches!(asked, Asked::Number) && number.is_some() {
            When::default()
        } else {
            when(&words, &turn.calendar(), turn.now(), bare_time && number.is_none())
        };
        let services = vocabulary::services(&words, business);
        let department = vocabulary::department(&words, business);
        let in_when = |place: usize| when.spans.iter().any(|span| span.contains(&place));
        let in_service = |place: usize| services.iter().any(|mention| mention.span.contains(&place));
        let in_number = |place: usize| number_span.as_ref().is_some_and(|span| span.contains(&place));
        let known = |place: usize| in_when(place) || in_service(place) || in_number(place);
        let expects_name = matches!(asked, Asked::Name) && !asks(&words);
        let mut name = name::find(&words, expects_name, &known);
        let staff = vocabulary::staff(&words, business).filter(|mention| {
            let within = name.as_ref().is_some_and(|named| overlap(&named.span, &mention.span));
            let introduced = name.as_ref().is_some_and(|named| named.span.len() > 2 || expects_name);
            !(within && introduced || mention.span.clone().any(in_when))
        });
        // "can I speak to Anna": somebody of ours, not the caller.
        name = name.filter(|named| {
            let ours = staff.iter().chain(&department).any(|mention| overlap(&named.span, &mention.span));
            expects_name || !ours
        });
        let correction = wants_number.then(|| digits::correction(&words)).flatten();
        let edit = spelling::edit(&words).filter(|_| correction.is_none());
        let any_staff = words.has_any(ANY_STAFF);
        let when = if correction.is_some() { When::default() } else { when };
        let mut heard = Self {
            raw: raw.trim().to_owned(),
            confidence,
            answer,
            bare: yes_no::is_bare(&words),
            when,
            services,
            staff,
            any_staff,
            department,
            name,
            edit,
            number: number.map(|(digits, ..)| digits),
            correction,
            email: email::find(&words),
            intents: Vec::new(),
            vague: false,
            maybe: None,
            clauses: Vec::new(),
            words,
        };
        heard.classify(turn);
        heard
    }

    fn classify(&mut self, turn: &Turn<'_, '_>) {
        let midway =
            turn.state.task.is_some() && !matches!(turn.state.asked, Asked::Open | Asked::AnythingElse);
        let least =
            if midway { turn.settings.intent_score_min_midway } else { turn.settings.intent_score_min };
        for clause in clauses(&self.words) {
            let masked = self.masked(&clause);
            let plain = self.words.slice(clause.start, clause.end);
            let ranked = classify(masked.iter().map(String::as_str), plain.iter(), turn.business());
            if let Some(best) = ranked.first().filter(|(_, score)| *score >= least)
                && !self.intents.iter().any(|(intent, _)| *intent == best.0)
            {
                self.intents.push(*best);
            }
            self.clauses.push(ranked.into_iter().take(3).collect());
        }
        self.ask_meaning(turn, midway);
        if self.tells_somebody() {
            self.intents = vec![(Intent::Message, 1.0)];
        }
    }

    /// Where the words by themselves leave doubt, what they are like decides: words that are almost an example's win,
    /// others yield. Not where we asked for something: a name or a message can be like anything.
    fn ask_meaning(&mut self, turn: &Turn<'_, '_>, midway: bool) {
        let dictated = matches!(turn.state.asked, Asked::Name | Asked::Number | Asked::MessageText);
        let plain = midway || dictated || self.bare || self.words.len() < 3;
        let Some(meaning) = turn.meaning.filter(|_| !plain) else { return };
        let sure = turn.settings.intent_score_sure;
        if matches!(turn.state.asked, Asked::Open | Asked::AnythingElse)
            && !self.intents.iter().any(|(intent, score)| may_be_told(*intent) && *score >= sure)
        {
            let weak = self.intents.iter().map(|(intent, _)| *intent).find(|intent| intent.is_task());
            self.intents.retain(|(intent, _)| !may_be_told(*intent));
            self.vague = meaning.wanted().is_none() && !self.only_names();
            self.maybe = weak.filter(|_| self.vague);
        }
        if self.intents.iter().all(|(intent, _)| matches!(intent, Intent::Hello | Intent::Thanks)) {
            self.intents.extend(meaning.wanted());
        }
    }

    /// Names days, services and people, and has not a word beside them that says something.
    fn only_names(&self) -> bool {
        self.masked(&(0..self.words.len())).iter().all(|word| word.starts_with('_') || is_light(word))
    }

    /// "Tell Priya that …", "ask her to …", "let them know …".
    fn tells_somebody(&self) -> bool {
        (0..self.words.len()).filter(|place| self.words.any(*place, &["tell", "let", "ask"])).any(|place| {
            let named = |mention: &Mention| {
                mention.span.contains(&(place + 1)) || mention.span.contains(&(place + 2))
            };
            let somebody = self.words.any(place + 1, &["them", "him", "her", "somebody", "someone"]);
            let more = self.words.len() > place + 3;
            more && (somebody || self.staff.iter().chain(&self.department).any(named))
        })
    }

    /// The clause with class words for what was recognised in it.
    fn masked(&self, clause: &Range<usize>) -> Vec<String> {
        let mut masked: Vec<String> = Vec::new();
        let mut push = |word: &str| {
            if masked.last().map(String::as_str) != Some(word) || !word.starts_with('_') {
                masked.push(word.to_owned());
            }
        };
        for place in clause.clone() {
            let within = |mention: &Mention| mention.span.contains(&place);
            let named = self.name.as_ref().is_some_and(|named| named.span.contains(&place));
            if named {
                push("_name");
            } else if self.when.spans.iter().any(|span| span.contains(&place)) {
                push("_when");
            } else if self.services.iter().any(within) {
                push("_service");
            } else if self.department.as_ref().is_some_and(within) {
                push("_department");
            } else if self.staff.as_ref().is_some_and(within) {
                push("_staff");
            } else {
                push(self.words.at(place));
            }
        }
        masked
    }

    pub(crate) fn wants(&self, intent: Intent) -> bool {
        self.intents.iter().any(|(found, _)| *found == intent)
    }

    pub(crate) fn score(&self, intent: Intent) -> f32 {
        self.clauses
            .iter()
            .flatten()
            .filter(|(found, _)| *found == intent)
            .map(|(_, score)| *score)
            .fold(0.0, f32::max)
    }

    /// The one service named.
    pub(crate) fn service(&self, turn: &Turn<'_, '_>) -> Option<ServiceId> {
        match self.services.as_slice() {
            [only] => turn.business().services.get(only.index).map(|service| service.id.clone()),
            _ => None,
        }
    }

    /// Whether the words are put as a question.
    pub(crate) fn is_question(&self) -> bool {
        asks(&self.words)
    }

    /// Asks only, and wants nothing done: what it names is what it asks about.
    pub(crate) fn only_asks(&self) -> bool {
        !self.intents.is_empty() && self.intents.iter().all(|(intent, _)| intent.is_question())
    }
}

/// "I don't mind who", in its forms.
const ANY_STAFF: &[&str] = &[
    "anyone",
    "anybody",
    "any one",
    "no preference",
    "do not mind",
    "whoever",
    "does not matter",
    "any of them",
];

/// Yes or no to what was asked. "No, it's fine" agrees to a read-back and declines an offer.
fn answer_to(asked: &Asked, words: &Words) -> Option<bool> {
    let offered = matches!(
        asked,
        Asked::OfferMessage(_) | Asked::OwnNumber | Asked::AnythingElse | Asked::Guess(_) | Asked::Offer(_)
    );
    let declines = offered && words.at(0) == "no" && !words.any(1, &["problem", "worries"]);
    if declines { Some(false) } else { yes_no::answer(words) }
}

/// Whether the words are put as a question.
fn asks(words: &Words) -> bool {
    const OPENERS: [&str; 18] = [
        "what", "when", "where", "who", "how", "why", "which", "do", "does", "is", "are", "can", "could",
        "would", "have", "did", "should", "was",
    ];
    let start = (0..words.len()).find(|place| {
        !matches!(words.at(*place), "hi" | "hello" | "and" | "um" | "so" | "yes" | "ok" | "please" | "oh")
    });
    let pronoun =
        |place: usize| words.any(place, &["you", "i", "it", "the", "there", "we", "they", "that", "be"]);
    start.is_some_and(|start| {
        OPENERS.contains(&words.at(start)) || words.any(start, &["will", "may"]) && pronoun(start + 1)
    })
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// "are you open saturday and can I book a cut" has two.
fn clauses(words: &Words) -> Vec<Range<usize>> {
    const OPENERS: [&str; 24] = [
        "can", "could", "would", "i", "what", "when", "where", "how", "do", "does", "are", "is", "who",
        "will", "please", "tell", "book", "cancel", "move", "also", "if", "may", "have", "let",
    ];
    let mut found = Vec::new();
    let mut start = 0;
    for place in 1..words.len() {
        let link = words.any(place, &["and", "but", "also", "then", "plus", "so"]);
        if link && OPENERS.contains(&words.at(place + 1)) && place > start {
            found.push(start..place);
            start = place + 1;
        }
    }
    if start < words.len() {
        found.push(start..words.len());
    }
    found
}

/// Whether a state waits for one plain thing, so that its answer comes before anything else in the utterance.
pub(crate) fn is_midway(state: &State) -> bool {
    state.task.is_some() && !matches!(state.asked, Asked::Open | Asked::AnythingElse)
}
