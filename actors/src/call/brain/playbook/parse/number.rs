//! Numbers: "twenty one", "a hundred and five", "21", "twenty first", "21st".

use super::Found;
use crate::call::brain::playbook::normalise::Words;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

fn place(list: &[&str], word: &str) -> Option<u32> {
    list.iter().position(|each| *each == word).and_then(|index| u32::try_from(index).ok())
}

/// "zero" to "nineteen".
pub(crate) fn unit(word: &str) -> Option<u32> {
    place(&UNITS, word)
}

/// "twenty" to "ninety".
pub(crate) fn tens(word: &str) -> Option<u32> {
    place(&TENS, word).map(|index| (index + 2) * 10)
}

/// A number below a hundred in words, or one of up to four digits.
pub(crate) fn small(words: &Words, index: usize) -> Found<u32> {
    let word = words.at(index);
    if let Some(value) = unit(word) {
        return Some((value, 1));
    }
    if let Some(value) = tens(word) {
        return match unit(words.at(index + 1)).filter(|unit| (1..=9).contains(unit)) {
            Some(unit) => Some((value + unit, 2)),
            None => Some((value, 1)),
        };
    }
    let digits = !word.is_empty() && word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    if digits { word.parse().ok().map(|value| (value, 1)) } else { None }
}

/// A number below ten thousand, such as "a hundred and five" or "two thousand and twenty six".
pub(crate) fn cardinal(words: &Words, index: usize) -> Found<u32> {
    let (mut value, mut length) = match words.at(index) {
        "a" | "an" if words.any(index + 1, &["hundred", "thousand"]) => (1, 1),
        "a" if words.any(index + 1, &["couple"]) => {
            return Some((2, if words.at(index + 2) == "of" { 3 } else { 2 }));
        }
        "a" if words.any(index + 1, &["few"]) => return Some((3, 2)),
        "a" | "an" => return Some((1, 1)),
        _ => small(words, index)?,
    };
    for (scale, factor) in [("thousand", 1_000), ("hundred", 100)] {
        if words.at(index + length) == scale && value < 100 {
            value *= factor;
            length += 1;
            let gap = usize::from(words.at(index + length) == "and");
            let below = |place: usize| {
                let (hundreds, taken) = small(words, place)?;
                match (factor, words.at(place + taken)) {
                    (1_000, "hundred") if hundreds < 10 => {
                        let and = usize::from(words.at(place + taken + 1) == "and");
                        let (rest, more) = small(words, place + taken + 1 + and)
                            .filter(|(rest, _)| *rest < 100)
                            .map_or((0, 0), |(rest, more)| (rest, more + and));
                        Some((hundreds * 100 + rest, taken + 1 + more))
                    }
                    _ => Some((hundreds, taken)),
                }
            };
            if let Some((rest, taken)) = below(index + length + gap).filter(|(rest, _)| *rest < factor) {
                value += rest;
                length += gap + taken;
                break;
            }
        }
    }
    Some((value, length))
}

/// A place in an order up to the thirty-first: "third", "twenty first", "21st".
pub(crate) fn ordinal(words: &Words, index: usize) -> Found<u32> {
    let word = words.at(index);
    if let Some(value) = place(&ORDINALS, word).filter(|value| *value > 0) {
        return Some((value, 1));
    }
    match word {
        "twentieth" => return Some((20, 1)),
        "thirtieth" => return Some((30, 1)),
        _ => {}
    }
    if let Some(value) = tens(word).filter(|value| *value <= 30) {
        let unit = place(&ORDINALS, words.at(index + 1)).filter(|unit| (1..=9).contains(unit))?;
        return Some((value + unit, 2));
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|suffix| word.strip_suffix(suffix))?;
    digits.parse().ok().filter(|value| (1..=31).contains(value)).map(|value| (value, 1))
}

/// The ordinal in words, as [`ordinal`] reads it.
pub(crate) fn ordinal_word(value: u32) -> String {
    let index = usize::try_from(value).unwrap_or(0);
    match value {
        20 => "twentieth".to_owned(),
        30 => "thirtieth".to_owned(),
        21..=31 => {
            let tens = if value > 30 { "thirty" } else { "twenty" };
            format!("{tens}-{}", ORDINALS.get(index % 10).copied().unwrap_or_default())
        }
        _ => ORDINALS.get(index).map_or_else(|| value.to_string(), |word| (*word).to_owned()),
    }
}

/// The number in words, below ten thousand.
pub(crate) fn cardinal_word(value: u32) -> String {
    let unit = |value: u32| UNITS.get(usize::try_from(value).unwrap_or(0)).copied().unwrap_or_default();
    match value {
        0..=19 => unit(value).to_owned(),
        20..=99 => {
            let tens = TENS.get(usize::try_from(value / 10 - 2).unwrap_or(0)).copied().unwrap_or_default();
            if value.is_multiple_of(10) { tens.to_owned() } else { format!("{tens}-{}", unit(value % 10)) }
        }
        100..=999 if value.is_multiple_of(100) => format!("{} hundred", unit(value / 100)),
        100..=999 => format!("{} hundred and {}", unit(value / 100), cardinal_word(value % 100)),
        1_000..=9_999 if value.is_multiple_of(1_000) => format!("{} thousand", unit(value / 1_000)),
        1_000..=9_999 => {
            let rest = value % 1_000;
            let and = if rest < 100 { "and " } else { "" };
            format!("{} thousand {and}{}", unit(value / 1_000), cardinal_word(rest))
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        for (text, value) in [
            ("three", 3),
            ("twenty one", 21),
            ("ninety", 90),
            ("45", 45),
            ("a hundred and five", 105),
            ("two thousand and twenty six", 2026),
            ("two thousand twenty six", 2026),
            ("a couple of", 2),
        ] {
            assert_eq!(cardinal(&Words::of(text), 0).map(|found| found.0), Some(value), "{text}");
        }
        assert_eq!(cardinal(&Words::of("banana"), 0), None);
    }

    #[test]
    fn every_number_spoken_is_read_back() {
        for value in 1..=31 {
            let words = Words::of(&ordinal_word(value));
            assert_eq!(ordinal(&words, 0), Some((value, words.len())), "{words:?}");
        }
        for value in 0..10_000 {
            let words = Words::of(&cardinal_word(value));
            assert_eq!(cardinal(&words, 0), Some((value, words.len())), "{words:?}");
        }
    }
}
