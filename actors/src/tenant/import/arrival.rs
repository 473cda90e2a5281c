//! `[screening]`, `[ring_first]`, `[forwarding]` and `[call_back]`: what is done with calls before the receptionist has
//! them. Each may be left out.

use super::section::{Section, Text};
use super::spelling::closest;
use super::{duration, lines};
use crate::types::{
    Anonymous, Arrival, Business, CallBack, Callee, Department, Destination, Forwarding, NumberPattern,
    PhoneNumber, Private, RingFirst, RingWhen, Screening, Turned,
};

const TURNED: [(&str, Turned); 3] =
    [("unwanted", Turned::Unwanted), ("declined", Turned::Declined), ("busy", Turned::Busy)];
const ANONYMOUS: [(&str, Anonymous); 3] =
    [("answer", Anonymous::Answer), ("ask", Anonymous::Ask), ("reject", Anonymous::Reject)];
const WHEN: [(&str, RingWhen); 3] =
    [("open", RingWhen::Open), ("always", RingWhen::Always), ("vip", RingWhen::Vip)];
/// How many digits of a number name it.
const DIGITS_TOLD: usize = 3;

/// Reads all of it.
pub(super) fn read(file: &Section<'_>, departments: &[Department]) -> Arrival {
    let ring_first = file.table("ring_first", "[ring_first]").and_then(|one| ring_first(one, departments));
    let forwarding = file.table("forwarding", "[forwarding]").map(|one| {
        let never_rings = !file.has("ring_first");
        forwarding(one, departments, never_rings)
    });
    Arrival {
        screening: file.table("screening", "[screening]").map(screening),
        ring_first,
        forwarding: forwarding.unwrap_or_default(),
        lines: lines::read(file, departments),
        call_back: file.table("call_back", "[call_back]").map(call_back),
    }
}

fn screening(section: Section<'_>) -> Screening {
    let usual = Screening::default();
    let blocked_get = turned(&section, "blocked_get", "blocked_hear").unwrap_or(usual.blocked_get);
    let read = Screening {
        blocked: patterns(&section, "blocked"),
        vip: patterns(&section, "vip"),
        blocked_get,
        anonymous: heard(&section, "anonymous", "anonymous_hear")
            .map(Anonymous::Message)
            .or_else(|| word(&section, "anonymous", &ANONYMOUS))
            .unwrap_or_default(),
        spam_score: section.number("spam_score", 1, 100).unwrap_or(usual.spam_score),
        spam_gets: turned(&section, "spam_gets", "spam_hear"),
        after_hours: section.text("after_hours_hear").map(|text| text.value),
    };
    section.finish();
    read
}

fn ring_first(section: Section<'_>, departments: &[Department]) -> Option<RingFirst> {
    if !section.has("people") {
        section.missing("people", "[\"the manager\", \"+447700900001\"]");
    }
    let people = section.texts("people");
    let empty = people.is_empty() && section.has("people");
    if empty {
        section.report.add_if_whole(
            &section.place("people"),
            format!("`people` in {} names nobody", section.name),
            "name a department or a number, or remove [ring_first]",
        );
    }
    let people: Vec<Callee> =
        people.iter().filter_map(|text| callee(&section, "people", text, departments)).collect();
    let read = RingFirst {
        people,
        at_once: section.flag("at_once").unwrap_or_default(),
        ring_s: duration::seconds(&section, "ring", 5, 120).unwrap_or(20),
        by_key: section.flag("by_key").unwrap_or(true),
        when: word(&section, "when", &WHEN).unwrap_or_default(),
        announcement: section.text("announcement").map(|text| text.value),
    };
    section.finish();
    (!read.people.is_empty()).then_some(read)
}

fn forwarding(section: Section<'_>, departments: &[Department], never_rings: bool) -> Forwarding {
    let usual = Forwarding::default();
    let to = |key: &'static str| section.text(key).and_then(|text| callee(&section, key, &text, departments));
    let read = Forwarding {
        always: to("always"),
        busy: to("busy"),
        no_answer: to("no_answer"),
        after_hours: to("after_hours"),
        ring_s: duration::seconds(&section, "ring", 5, 120).unwrap_or(usual.ring_s),
        by_key: section.flag("by_key").unwrap_or(usual.by_key),
        announcement: section.text("announcement").map(|text| text.value),
    };
    if never_rings && section.has("no_answer") {
        section.report.add_if_whole(
            &section.place("no_answer"),
            "`no_answer` in [forwarding] never comes about: nobody's telephone rings first",
            "add `[ring_first]` with `people`, or remove it",
        );
    }
    section.finish();
    read
}

fn call_back(section: Section<'_>) -> CallBack {
    let read = CallBack {
        missed: section.flag("missed").unwrap_or(true),
        cut_off: section.flag("cut_off").unwrap_or(true),
        after_minutes: duration::minutes(&section, "after", 1, 1_440).unwrap_or(5),
        attempts_max: section.number("attempts", 1, 5).unwrap_or(2),
        mailbox: section.text("mailbox").map(|text| text.value),
    };
    section.finish();
    read
}

/// Callers' numbers and beginnings: personal, so that they are counted and not shown.
fn patterns(section: &Section<'_>, key: &'static str) -> Vec<Private<NumberPattern>> {
    let texts = section.texts(key);
    let count = texts.len();
    let read = texts.into_iter().enumerate().filter_map(|(index, text)| {
        let pattern = NumberPattern::parse(&text.value);
        if pattern.is_none() {
            section.report.add(
                &text.at,
                format!("number {} of {count} in `{key}` is not a telephone number", index + 1),
                "write its digits with the country's code, such as \"+447700900123\", or its beginning and a star, \
                 such as \"+4477*\"",
            );
        }
        pattern.map(Private::new)
    });
    read.collect()
}

/// What is said instead, where `says` is there; it and `key` exclude each other.
fn heard(section: &Section<'_>, key: &'static str, says: &'static str) -> Option<String> {
    section.know(key);
    let text = section.text(says)?;
    if section.has(key) {
        section.report.add(
            &text.at,
            format!("{} has both `{key}` and `{says}`", section.name),
            "keep the one that is to be done",
        );
    }
    Some(text.value)
}

fn turned(section: &Section<'_>, key: &'static str, says: &'static str) -> Option<Turned> {
    heard(section, key, says).map(Turned::Message).or_else(|| word(section, key, &TURNED))
}

/// One of a few words.
fn word<T: Clone>(section: &Section<'_>, key: &'static str, known: &[(&str, T)]) -> Option<T> {
    let text = section.text(key)?;
    let written = text.value.to_lowercase();
    let found = known.iter().find(|(name, _)| *name == written).map(|(_, value)| value.clone());
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        section.report.add(
            &text.at,
            format!("`{key}` in {} is not known: \"{}\"", section.name, text.value),
            closest(&written, names.iter().copied()).map_or_else(
                || format!("write one of \"{}\"", names.join("\", \"")),
                |meant| format!("did you mean \"{meant}\"?"),
            ),
        );
    }
    found
}

/// A department by name, or a number.
pub(super) fn callee(
    section: &Section<'_>,
    key: &str,
    text: &Text,
    departments: &[Department],
) -> Option<Callee> {
    let named = departments.iter().find(|department| {
        let calls = |name: &String| name.eq_ignore_ascii_case(&text.value);
        calls(&department.name) || department.also_called.iter().any(calls)
    });
    if let Some(department) = named {
        return Some(Callee { name: department.name.clone(), to: department.destination.clone() });
    }
    let number = PhoneNumber::parse(&text.value);
    if number.is_none() {
        let names: Vec<&str> = departments.iter().map(|department| department.name.as_str()).collect();
        let instead = match closest(&text.value, names.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "name a [[department]], or write a number such as \"+442079460100\"".to_owned(),
        };
        section.report.add_if_whole(
            &text.at,
            format!("`{key}` in {} is neither a department nor a number: \"{}\"", section.name, text.value),
            instead,
        );
    }
    number.map(|number| {
        let digits = number.digits();
        let ending = digits.get(digits.len().saturating_sub(DIGITS_TOLD)..).unwrap_or_default();
        Callee { name: format!("the number ending in {ending}"), to: Destination::Number(number.clone()) }
    })
}

/// Each line is one of the business's numbers.
pub(super) fn check_lines(file: &Section<'_>, business: &Business) {
    for line in &business.arrival.lines {
        if !business.numbers.contains(&line.number) {
            file.report.add_if_whole(
                &file.place("line"),
                format!(
                    "the [[line]] \"{}\" is for {}, which does not reach this business",
                    line.label,
                    line.number.as_str()
                ),
                "add the number to `numbers` in [business], or correct it",
            );
        }
    }
}
