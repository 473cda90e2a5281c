//! Figures, prices and addresses as the words that a person says, for voices that read them badly.
//!
//! Only what sounds wrong is rewritten: plain numbers, ordinals, names and punctuation are left to the engine.

/// A word to be spoken, and which word of the written text it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpokenWord {
    /// What the engine reads, without white space.
    pub(crate) text: String,
    /// The index of the written word, counted from 0 over whitespace-separated words.
    pub(crate) word: u32,
}

/// Digits in a row from which a number is a telephone number, an account, a code: never a quantity.
const READ_BY_DIGIT_FROM: usize = 5;

/// The words to be spoken for `text`.
#[must_use]
pub(crate) fn spoken_form(text: &str) -> Vec<SpokenWord> {
    let mut spoken = Vec::new();
    let written: Vec<&str> = text.split_whitespace().collect();
    for (index, this) in written.iter().enumerate() {
        let word = u32::try_from(index).unwrap_or(u32::MAX);
        let before = index.checked_sub(1).and_then(|before| written.get(before)).copied();
        let after = written.get(index + 1).copied();
        for piece in say(this, before, after).split_whitespace() {
            spoken.push(SpokenWord { text: piece.to_owned(), word });
        }
    }
    spoken
}

fn say(written: &str, word_before: Option<&str>, word_after: Option<&str>) -> String {
    let core = written.trim_matches(|c: char| !c.is_alphanumeric() && !"+$£€&%".contains(c));
    let Some(start) = written.find(core).filter(|_| !core.is_empty()) else { return String::new() };
    let (before, rest) = written.split_at(start);
    let after = rest.get(core.len()..).unwrap_or_default();
    let after_figure = word_before.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let before_half = word_after.is_some_and(|word| half_of_day(word).is_some());
    let saying = half_of_day(core)
        .filter(|_| after_figure)
        .map(str::to_owned)
        .or_else(|| symbol(core))
        .or_else(|| time(core, before_half))
        .or_else(|| price(core))
        .or_else(|| address(core))
        .or_else(|| digits(core));
    match saying {
        Some(saying) => format!("{before}{saying}{}", pause(after)),
        None => written.to_owned(),
    }
}

/// Of what follows a rewritten word only the pauses stay; the engine would read the rest out.
fn pause(after: &str) -> String {
    after.chars().filter(|c| ".,;:?!".contains(*c)).collect()
}

/// Spelled so that no voice takes the letters for a word or their full stop for an abbreviation's.
fn half_of_day(word: &str) -> Option<&'static str> {
    match word.trim_end_matches(['.', ',', '?', '!', ';']).to_ascii_lowercase().as_str() {
        "am" | "a.m" => Some("ay em"),
        "pm" | "p.m" => Some("pee em"),
        _ => None,
    }
}

fn symbol(core: &str) -> Option<String> {
    match core {
        "&" => Some("and".into()),
        "+" => Some("plus".into()),
        _ => {
            let percent = core.strip_suffix('%')?;
            percent.parse::<f64>().ok().map(|_| format!("{percent} percent"))
        }
    }
}

/// `3:00`, `3:30PM`, `15:05`.
fn time(core: &str, before_half: bool) -> Option<String> {
    let lower = core.to_ascii_lowercase();
    let (clock, half) = match lower.strip_suffix("am").map(|rest| (rest, " ay em")) {
        Some(found) => found,
        None => lower.strip_suffix("pm").map_or((lower.as_str(), ""), |rest| (rest, " pee em")),
    };
    let (hour, minute) = match clock.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute.parse::<u32>().ok()?),
        None if !half.is_empty() => (clock, 0),
        _ => return None,
    };
    let hour: u32 = hour.parse().ok()?;
    if hour > 24 || minute > 59 {
        return None;
    }
    Some(match minute {
        0 if before_half => hour.to_string(),
        0 if half.is_empty() && hour <= 12 => format!("{hour} o'clock"),
        0 if half.is_empty() => format!("{hour} hundred"),
        0 => format!("{hour}{half}"),
        1..=9 => format!("{hour} oh {minute}{half}"),
        _ => format!("{hour} {minute}{half}"),
    })
}

/// `$45`, `£12.50`, `€1`.
fn price(core: &str) -> Option<String> {
    let (one, many, cents) = match core.chars().next()? {
        '$' => ("dollar", "dollars", "cents"),
        '£' => ("pound", "pounds", "pence"),
        '€' => ("euro", "euros", "cents"),
        _ => return None,
    };
    let amount: String = core.chars().skip(1).filter(|c| *c != ',').collect();
    let (whole, part) = amount.split_once('.').unwrap_or((&amount, "00"));
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = if part.len() == 2 { part.parse().ok()? } else { return None };
    let unit = if whole == 1 { one } else { many };
    Some(match part {
        0 => format!("{whole} {unit}"),
        _ => format!("{whole} {unit} and {part} {cents}"),
    })
}

/// `sam@example.com`, `www.example.com`.
fn address(core: &str) -> Option<String> {
    let (host_start, mail) = match core.find('@') {
        Some(at) => (at, true),
        None => (0, false),
    };
    let host = core.get(host_start..)?;
    if !host.contains('.') || !(mail || core.starts_with("www.")) {
        return None;
    }
    Some(
        core.replace("www.", "W W W dot ")
            .replace('@', " at ")
            .replace('.', " dot ")
            .replace('_', " underscore "),
    )
}

/// Telephone numbers and codes, digit by digit, in groups with a short pause between them.
fn digits(core: &str) -> Option<String> {
    if !core.chars().all(|c| c.is_ascii_digit() || "+-().".contains(c)) {
        return None;
    }
    let only: Vec<char> = core.chars().filter(char::is_ascii_digit).collect();
    if only.len() < READ_BY_DIGIT_FROM {
        return None;
    }
    let groups = groups(core, &only);
    let said: Vec<String> = groups
        .iter()
        .map(|group| group.iter().filter_map(|digit| name(*digit)).collect::<Vec<_>>().join(" "))
        .collect();
    let plus = if core.starts_with('+') { "plus " } else { "" };
    Some(format!("{plus}{}", said.join(", ")))
}

/// As written, where it is written in groups; else from the right in a four and threes, as numbers are said.
fn groups(core: &str, only: &[char]) -> Vec<Vec<char>> {
    let written: Vec<Vec<char>> = core
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.chars().collect())
        .collect();
    if written.len() > 1 {
        return written;
    }
    let mut groups = Vec::new();
    let mut rest = only;
    while !rest.is_empty() {
        let size = if groups.is_empty() && only.len() >= 7 { 4 } else { 3 };
        let (head, tail) = rest.split_at(rest.len().saturating_sub(size));
        groups.push(tail.to_vec());
        rest = head;
    }
    groups.reverse();
    groups
}

fn name(digit: char) -> Option<&'static str> {
    const NAMES: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    digit.to_digit(10).and_then(|value| NAMES.get(value as usize)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        spoken_form(text).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(said("at 3:00 PM."), "at 3 pee em.");
        assert_eq!(said("at 3:30pm, or 10:05 AM"), "at 3 30 pee em, or 10 oh 5 ay em");
        assert_eq!(said("from 9am to 17:00, not 3:00"), "from 9 ay em to 17 hundred, not 3 o'clock");
        assert_eq!(said("I am here at 9 am or 3:75"), "I am here at 9 ay em or 3:75");
    }

    #[test]
    fn numbers_to_be_noted_are_said_digit_by_digit() {
        assert_eq!(said("+15551234567"), "plus one, five five five, one two three, four five six seven");
        assert_eq!(said("call 555-0142."), "call five five five, zero one four two.");
        assert_eq!(said("code 40213"), "code four zero, two one three");
        assert_eq!(said("in 2026 we had 1500"), "in 2026 we had 1500");
    }

    #[test]
    fn prices_symbols_and_addresses() {
        assert_eq!(said("$45.50, £1 and €1,200"), "45 dollars and 50 cents, 1 pound and 1200 euros");
        assert_eq!(said("Cut & colour, 10% off"), "Cut and colour, 10 percent off");
        assert_eq!(said("sam.t@example.com"), "sam dot t at example dot com");
        assert_eq!(said("Hello - there"), "Hello there");
    }

    #[test]
    fn every_spoken_word_knows_its_written_word() {
        let words: Vec<u32> = spoken_form("It is $45.50 today").into_iter().map(|word| word.word).collect();
        assert_eq!(words, [0, 1, 2, 2, 2, 2, 2, 3]);
    }
}
