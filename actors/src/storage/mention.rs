//! Whether something stored mentions a telephone number, in whichever way it is written there.

use crate::types::PhoneNumber;

/// Digits that together may be one number, at most: "oh seven seven, nine hundred, …" is written in few groups.
const GROUPS_MAX: usize = 8;
/// Below so many digits a number is found only where all of it stands alone.
const DIGITS_MIN: usize = 8;

/// Whether a row's bytes hold the number: as it is, in its national form, or in groups with spaces between.
///
/// Rows are text with names and numbers as they were heard, so that this finds a caller in a field as well as in
/// a sentence. Digits that are a part of an identifier, a time or a longer word are none.
pub(crate) fn mentions(row: &[u8], number: &PhoneNumber) -> bool {
    let mut groups: Vec<&[u8]> = Vec::new();
    let mut at = 0;
    while at < row.len() {
        let from = at;
        while row.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if from == at {
            at += 1;
            continue;
        }
        let before = from.checked_sub(1).and_then(|place| row.get(place)).copied();
        if before != Some(b' ') || from < 2 || !row.get(from - 2).is_some_and(u8::is_ascii_digit) {
            groups.clear();
        }
        let stands_alone = !before
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte))
            && !row.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-:".contains(byte));
        if !stands_alone {
            groups.clear();
            continue;
        }
        groups.extend(row.get(from..at));
        if groups.len() > GROUPS_MAX {
            groups.remove(0);
        }
        if (0..groups.len()).any(|first| is(&groups[first..].concat(), number)) {
            return true;
        }
    }
    false
}

/// Whether these digits reach the number's line.
fn is(digits: &[u8], number: &PhoneNumber) -> bool {
    let wanted = number.digits().trim_start_matches('0');
    let Ok(digits) = std::str::from_utf8(digits) else { return false };
    let digits = digits.trim_start_matches('0');
    let (short, long) = if digits.len() < wanted.len() { (digits, wanted) } else { (wanted, digits) };
    digits == wanted || (short.len() >= DIGITS_MIN && long.ends_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        mentions(text.as_bytes(), &PhoneNumber::parse("+447700900001").expect("a number"))
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for text in [
            "+447700900001",
            "\"number\":\"+447700900001\"",
            "It's 07700900001.",
            "It's 07700 900001, thanks",
            "on 07700 900 001",
            "call 2 07700 900 001",
            "\u{1}{\"digits\":\"07700900001\"}",
            "0044 7700 900001",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_identifiers_and_times_are_not() {
        for text in [
            "",
            "+447700900002",
            "+14477009000010",
            "00900001",
            "x7700900001",
            "01920000-0000-7000-8000-447700900001",
            "2026-11-22T10:00:01.447700900001Z",
            "07700 and 900001",
        ] {
            assert!(!found(text), "{text}");
        }
        let short = PhoneNumber::parse("1000").expect("a number");
        assert!(mentions(b"\"1000\"", &short) && !mentions(b"\"21000\"", &short));
    }
}
