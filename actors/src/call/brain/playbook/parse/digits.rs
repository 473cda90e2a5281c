//! Strings of digits as people say them: "oh two oh seven nine four six double oh one".

use super::Found;
use super::number::{small, tens, unit};
use crate::call::brain::playbook::normalise::Words;

/// Said between groups of digits, without meaning.
const BETWEEN: [&str; 9] = ["and", "then", "um", "uh", "er", "erm", "dash", "hyphen", "space"];

/// A correction to a number already given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Correction {
    /// The number's last digits are these.
    Last(String),
    /// The number's first digits are these.
    First(String),
    /// These digits stand where those were heard.
    Instead { wrong: String, right: String },
}

fn one(words: &Words, index: usize) -> Found<String> {
    let word = words.at(index);
    let digit = |word: &str| match word {
        "oh" | "o" | "nought" | "naught" | "nil" | "zero" => Some("0".to_owned()),
        "for" | "fore" => None,
        _ => unit(word).map(|value| value.to_string()),
    };
    match word {
        "double" | "triple" | "treble" | "quadruple" => {
            let times = match word {
                "double" => 2,
                "quadruple" => 4,
                _ => 3,
            };
            let next = words.at(index + 1);
            let repeated = digit(next).or_else(|| {
                (next.len() == 1 && next.bytes().all(|byte| byte.is_ascii_digit())).then(|| next.to_owned())
            })?;
            (repeated.len() == 1).then(|| (repeated.repeat(times), 2))
        }
        _ if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => Some((word.to_owned(), 1)),
        _ if tens(word).is_some() => small(words, index).map(|(value, length)| (value.to_string(), length)),
        _ => digit(word).map(|value| {
            let hundred = words.at(index + 1) == "hundred" && value != "0";
            if hundred { (format!("{value}00"), 2) } else { (value, 1) }
        }),
    }
}

/// A run of digits from `index` on, with a leading `+` where "plus" was said.
pub(crate) fn run(words: &Words, index: usize) -> Found<String> {
    let mut digits = String::new();
    let mut length = 0;
    if words.at(index) == "plus" {
        digits.push('+');
        length = 1;
    }
    loop {
        let gap = usize::from(!digits.is_empty() && BETWEEN.contains(&words.at(index + length)));
        let Some((more, taken)) = one(words, index + length + gap) else { break };
        digits.push_str(&more);
        length += gap + taken;
        if digits.len() > 24 {
            break;
        }
    }
    digits.bytes().any(|byte| byte.is_ascii_digit()).then_some((digits, length))
}

/// The longest run of digits anywhere, if it has at least `least`; its place and length in words.
pub(crate) fn longest(words: &Words, least: usize) -> Option<(String, usize, usize)> {
    let mut best: Option<(String, usize, usize)> = None;
    let mut index = 0;
    while index < words.len() {
        match run(words, index) {
            Some((digits, length)) => {
                if digits.len() >= least && best.as_ref().is_none_or(|(most, ..)| digits.len() > most.len()) {
                    best = Some((digits, index, length));
                }
                index += length;
            }
            None => index += 1,
        }
    }
    best
}

/// "the last two digits are seven eight", "it ends in five", "four six not four seven".
pub(crate) fn correction(words: &Words) -> Option<Correction> {
    const LAST: [&str; 5] = ["ends in", "ends with", "ending in", "ending with", "at the end"];
    const FIRST: [&str; 3] = ["starts with", "begins with", "beginning with"];
    for phrase in LAST {
        if let Some(at) = words.find(phrase) {
            return run(words, at + 2).map(|(digits, _)| Correction::Last(digits));
        }
    }
    for phrase in FIRST {
        if let Some(at) = words.find(phrase) {
            return run(words, at + 2).map(|(digits, _)| Correction::First(digits));
        }
    }
    for (side, last) in [("last", true), ("first", false)] {
        let Some(at) = words.find(side) else { continue };
        let counted = small(words, at + 1).map_or(0, |(_, length)| length);
        let named =
            words.any(at + 1 + counted, &["digit", "digits", "number", "numbers", "bit", "part", "one"]);
        if !named {
            continue;
        }
        let from = at + 2 + counted;
        let found = (from..from + 4).find_map(|index| run(words, index)).map(|(digits, _)| digits)?;
        return Some(if last { Correction::Last(found) } else { Correction::First(found) });
    }
    let not = words.find("not")?;
    let (wrong, _) = run(words, not + 1)?;
    let (right, ..) = longest(&words.slice(0, not), 1)?;
    (right.len() < 7).then_some(Correction::Instead { wrong, right })
}

/// Applies a correction; `None` where it does not fit.
pub(crate) fn correct(number: &str, correction: &Correction) -> Option<String> {
    match correction {
        Correction::Last(digits) if digits.len() <= number.len() => {
            number.get(..number.len() - digits.len()).map(|start| format!("{start}{digits}"))
        }
        Correction::First(digits) if digits.len() <= number.len() => {
            number.get(digits.len()..).map(|end| format!("{digits}{end}"))
        }
        Correction::Instead { wrong, right } => number
            .rfind(wrong.as_str())
            .and_then(|at| Some(format!("{}{right}{}", number.get(..at)?, number.get(at + wrong.len()..)?))),
        Correction::Last(_) | Correction::First(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<String> {
        longest(&Words::of(text), 1).map(|found| found.0)
    }

    #[test]
    fn spoken_numbers_become_digits() {
        for (text, digits) in [
            ("oh two oh seven nine four six double oh one", "0207946001"),
            ("it's oh seven seven double oh nine hundred one two three", "07700900123"),
            ("plus four four twenty seventy nine forty six", "+44207946"),
            ("zero one six one um four nine six triple zero one", "01614960001"),
            ("020 7946 0001", "02079460001"),
            ("555-0134", "5550134"),
            ("eight hundred five five five one two one two", "8005551212"),
        ] {
            assert_eq!(number(text).as_deref(), Some(digits), "{text}");
        }
        assert_eq!(number("no digits here"), None);
    }

    #[test]
    fn corrections_replace_what_they_name() {
        for (text, corrected) in [
            ("no the last two digits are seven eight", "0207946078"),
            ("it ends in five", "0207946005"),
            ("no it starts with oh one", "0107946001"),
            ("no four five not four six", "0207945001"),
            ("the last digit is two", "0207946002"),
        ] {
            let correction = correction(&Words::of(text)).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(correct("0207946001", &correction).as_deref(), Some(corrected), "{text}");
        }
        assert_eq!(correction(&Words::of("that is not right")), None);
    }
}
