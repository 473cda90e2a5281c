//! `[[transfer]]`: which calls go to a person without being asked to.

use super::section::Section;
use super::spelling::closest;
use crate::types::{Condition, Department, PhoneNumber, TransferRule};

const WHENS: [&str; 3] = ["when_caller_is", "when_caller_says", "when_caller_asks_for_a_person"];

/// Reads the rules, in order: the first that holds wins.
pub(super) fn read(file: &Section<'_>, departments: &[Department]) -> Vec<TransferRule> {
    let mut rules = Vec::new();
    for section in file.tables("transfer", "[[transfer]]") {
        let when = condition(&section);
        let to = target(&section, departments);
        section.finish();
        rules.extend(when.zip(to).map(|(when, to)| TransferRule { when, to }));
    }
    rules
}

fn condition(section: &Section<'_>) -> Option<Condition> {
    let given: Vec<&str> = WHENS.into_iter().filter(|when| section.has(when)).collect();
    let (is, says) = (section.texts("when_caller_is"), section.texts("when_caller_says"));
    let asks = section.flag("when_caller_asks_for_a_person");
    let &[key] = given.as_slice() else {
        let (what, instead) = if given.is_empty() {
            ("does not say when", format!("write one of `{}`", WHENS.join("`, `")))
        } else {
            ("has more than one `when_…`", "write one [[transfer]] for each".to_owned())
        };
        section.report.add_if_whole(&section.at, format!("{} {what}", section.name), instead);
        return None;
    };
    let empty = || {
        section.report.add_if_whole(
            &section.place(key),
            format!("`{key}` in {} never holds", section.name),
            "list what it is about, or remove the rule",
        );
        None
    };
    match key {
        "when_caller_is" => {
            let count = is.len();
            let numbers: Vec<PhoneNumber> = is
                .into_iter()
                .enumerate()
                .filter_map(|(index, text)| {
                    let number = PhoneNumber::parse(&text.value);
                    if number.is_none() {
                        // Callers' numbers are personal: counted, not shown.
                        section.report.add(
                            &text.at,
                            format!("number {} of {count} in `{key}` is not a telephone number", index + 1),
                            "write its digits with the country's code, such as \"+447700900123\"",
                        );
                    }
                    number
                })
                .collect();
            if count == 0 { empty() } else { Some(Condition::CallerIs(numbers)) }
        }
        "when_caller_says" if says.is_empty() => empty(),
        "when_caller_says" => {
            Some(Condition::CallerSays(says.into_iter().map(|text| text.value.to_lowercase()).collect()))
        }
        _ if asks == Some(false) => empty(),
        _ => asks.map(|_| Condition::AsksForPerson),
    }
}

fn target(section: &Section<'_>, departments: &[Department]) -> Option<String> {
    let text = section.required_text("to", "\"the manager\"");
    if text.value.is_empty() {
        return None;
    }
    if let Some(department) = departments.iter().find(|one| one.name.eq_ignore_ascii_case(&text.value)) {
        return Some(department.name.clone());
    }
    let names: Vec<&str> = departments.iter().map(|department| department.name.as_str()).collect();
    let instead = match closest(&text.value, names.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None if names.is_empty() => "add a [[department]] of that name".to_owned(),
        None => format!("name one of {}", names.join(", ")),
    };
    section.report.add_if_whole(&text.at, format!("there is no department \"{}\"", text.value), instead);
    None
}
