//! Letters: "t a y l o r", "bravo", "b as in bravo", "double t", and corrections such as "with a b".

use super::Found;
use crate::call::brain::playbook::normalise::Words;

const NATO: [&str; 26] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo",
    "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
    "whiskey", "xray", "yankee", "zulu",
];
/// How a recogniser writes letters that it takes for words. Only believed within a run of letters.
const HOMOPHONES: [(&str, char); 34] = [
    ("bee", 'b'),
    ("be", 'b'),
    ("see", 'c'),
    ("sea", 'c'),
    ("dee", 'd'),
    ("eff", 'f'),
    ("gee", 'g'),
    ("aitch", 'h'),
    ("haitch", 'h'),
    ("eye", 'i'),
    ("jay", 'j'),
    ("kay", 'k'),
    ("el", 'l'),
    ("ell", 'l'),
    ("em", 'm'),
    ("en", 'n'),
    ("oh", 'o'),
    ("owe", 'o'),
    ("pea", 'p'),
    ("pee", 'p'),
    ("queue", 'q'),
    ("cue", 'q'),
    ("are", 'r'),
    ("ar", 'r'),
    ("ess", 's'),
    ("tea", 't'),
    ("tee", 't'),
    ("you", 'u'),
    ("vee", 'v'),
    ("ex", 'x'),
    ("why", 'y'),
    ("wye", 'y'),
    ("zed", 'z'),
    ("zee", 'z'),
];

fn plain(word: &str) -> Option<char> {
    let mut letters = word.chars();
    letters.next().filter(|letter| letter.is_alphabetic() && letters.next().is_none())
}

fn named(word: &str) -> Option<char> {
    let word = if word == "alfa" { "alpha" } else { word };
    NATO.iter().find(|name| **name == word).and_then(|name| name.chars().next())
}

/// One letter at `index`. `in_run` believes homophones, too.
fn letter(words: &Words, index: usize, in_run: bool) -> Found<String> {
    let word = words.at(index);
    if word == "double" {
        let (twice, length) = letter(words, index + 1, true)?;
        return (twice.chars().count() == 1).then(|| (twice.repeat(2), length + 1));
    }
    if word == "capital" {
        return letter(words, index + 1, in_run).map(|(letter, length)| (letter, length + 1));
    }
    let homophone = || HOMOPHONES.iter().find(|(sound, _)| *sound == word).map(|(_, letter)| *letter);
    let found = plain(word).or_else(|| named(word)).or_else(|| if in_run { homophone() } else { None })?;
    // "b as in bravo", "b for bravo", "b like bravo"
    let explained = match (words.at(index + 1), words.at(index + 2)) {
        ("as", "in") => words.at(index + 3).starts_with(found).then_some(4),
        ("for" | "like", example) => example.starts_with(found).then_some(3),
        _ => None,
    };
    Some((found.to_string(), explained.unwrap_or(1)))
}

/// A run of at least two letters from `index` on, joined.
pub(crate) fn run(words: &Words, index: usize) -> Found<String> {
    let mut spelled = String::new();
    let mut length = 0;
    let mut letters = 0;
    while let Some((more, taken)) = letter(words, index + length, letters > 0) {
        spelled.push_str(&more);
        length += taken;
        letters += 1;
    }
    (letters >= 2 && spelled.chars().count() >= 2).then_some((spelled, length))
}

/// The longest run of letters anywhere of three or more; its place and length.
pub(crate) fn longest(words: &Words) -> Option<(String, usize, usize)> {
    let mut best: Option<(String, usize, usize)> = None;
    let mut index = 0;
    while index < words.len() {
        match run(words, index) {
            Some((spelled, length)) => {
                if spelled.len() >= 3 && best.as_ref().is_none_or(|(most, ..)| spelled.len() > most.len()) {
                    best = Some((spelled, index, length));
                }
                index += length;
            }
            None => index += 1,
        }
    }
    best
}

/// What a caller wants changed in the spelling of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// "with a b": where a letter that sounds like it stands.
    With(String),
    /// "with a b not a p".
    Instead { wrong: String, right: String },
    /// "with an e at the end".
    AtEnd(String),
    /// "without an e", "no e".
    Without(String),
}

/// A correction of a spelling in the utterance.
pub(crate) fn edit(words: &Words) -> Option<Edit> {
    let article = |index: usize| index + usize::from(words.any(index, &["a", "an", "the", "one", "two"]));
    let sound = |index: usize| -> Found<String> {
        let start = article(index);
        let doubled = words.at(index) == "two";
        let word = words.at(start);
        // "two ts" and "two t's" arrive as "ts"
        let single = word.strip_suffix('s').filter(|stem| doubled && stem.chars().count() == 1);
        let (letter, length) =
            single.map_or_else(|| letter(words, start, true), |stem| Some((stem.to_owned(), 1)))?;
        Some((if doubled { letter.repeat(2) } else { letter }, start - index + length))
    };
    for lead in ["without", "no"] {
        if let Some((letter, _)) = words
            .find(lead)
            .and_then(|at| sound(at + 1))
            .filter(|(_, length)| lead == "without" || *length == 1)
        {
            return Some(Edit::Without(letter));
        }
    }
    let (right, next) = words
        .find("with")
        .and_then(|at| sound(at + 1).map(|(letter, length)| (letter, at + 1 + length)))
        .or_else(|| {
            let not = words.find("not").or_else(|| words.find("instead"))?;
            (0..not).rev().find_map(|index| letter(words, index, false)).map(|(letter, _)| (letter, not))
        })?;
    if words.has_any(&["at the end", "on the end"]) {
        return Some(Edit::AtEnd(right));
    }
    let wrong = match words.at(next) {
        "not" => sound(next + 1),
        "instead" => sound(next + 2),
        _ => None,
    };
    Some(match wrong {
        Some((wrong, _)) => Edit::Instead { wrong, right },
        None => Edit::With(right),
    })
}

/// Applies an edit to a name; `None` where there is nothing it could mean.
pub(crate) fn apply(name: &str, edit: &Edit) -> Option<String> {
    let lower = name.to_lowercase();
    let replaced = |wrong: &str, right: &str| {
        lower
            .find(wrong)
            .and_then(|at| Some(format!("{}{right}{}", lower.get(..at)?, lower.get(at + wrong.len()..)?)))
    };
    match edit {
        Edit::AtEnd(letter) => Some(format!("{lower}{letter}")),
        Edit::Instead { wrong, right } => replaced(wrong, right),
        Edit::Without(letter) => {
            let at = lower.rfind(letter.as_str())?;
            Some(format!("{}{}", lower.get(..at)?, lower.get(at + letter.len()..)?))
        }
        Edit::With(letter) if letter.chars().count() == 2 => {
            let single = letter.get(..letter.len() / 2)?;
            if lower.contains(letter.as_str()) { None } else { replaced(single, letter) }
        }
        Edit::With(letter) => {
            // The sounds that a telephone line confuses with this letter, likeliest first.
            let confused: &[&str] = match letter.as_str() {
                "b" => &["p", "v", "d"],
                "p" => &["b", "t"],
                "d" => &["t", "b"],
                "t" => &["d", "p"],
                "c" => &["k", "s", "ck"],
                "k" => &["c", "ck"],
                "s" => &["f", "c", "z", "x"],
                "z" => &["s", "x"],
                "f" => &["ph", "s", "v"],
                "v" => &["f", "b", "w"],
                "w" => &["v", "u"],
                "m" => &["n"],
                "n" => &["m"],
                "g" => &["j", "k"],
                "j" => &["g", "y"],
                "y" => &["i", "ie", "e", "ey"],
                "i" => &["y", "e"],
                "e" => &["a", "i", "y"],
                "a" => &["e", "o", "u"],
                "o" => &["u", "a"],
                "u" => &["o", "a"],
                "r" => &["w", "l"],
                "l" => &["r"],
                "h" => &["a"],
                _ => &[],
            };
            // "with a b" says how the name begins, more often than not.
            let starts = lower.split(' ').rev().find_map(|word| {
                confused.iter().find(|wrong| word.starts_with(**wrong)).map(|wrong| (word, *wrong))
            });
            if let Some((word, wrong)) = starts {
                let fixed = format!("{letter}{}", word.get(wrong.len()..)?);
                return Some(
                    lower
                        .split(' ')
                        .map(|each| if each == word { &fixed } else { each })
                        .collect::<Vec<_>>()
                        .join(" "),
                );
            }
            confused.iter().find_map(|wrong| replaced(wrong, letter))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_joined() {
        for (text, spelled) in [
            ("t a y l o r", "taylor"),
            ("tango alpha yankee lima oscar romeo", "taylor"),
            ("b as in bravo e double t s", "betts"),
            ("b for bravo a r k e r", "barker"),
            ("s see o double t", "scott"),
            ("t ay why", "t"),
        ] {
            let found = longest(&Words::of(text)).map(|found| found.0);
            assert_eq!(found.as_deref(), Some(spelled).filter(|each| each.len() > 2), "{text}");
        }
    }

    #[test]
    fn a_spelling_is_edited() {
        for (name, text, edited) in [
            ("parker", "no with a b", "barker"),
            ("sam parker", "no, with a B", "sam barker"),
            ("tailor", "with a y", "taylor"),
            ("clark", "with an e at the end", "clarke"),
            ("clarke", "without an e", "clark"),
            ("parker", "it's with a b not a p", "barker"),
            ("mat", "with two t's", "matt"),
            ("catherine", "with a k", "katherine"),
        ] {
            let edit = edit(&Words::of(text)).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(apply(name, &edit).as_deref(), Some(edited), "{text}: {edit:?}");
        }
        assert_eq!(edit(&Words::of("no it's tuesday")), None);
    }
}
