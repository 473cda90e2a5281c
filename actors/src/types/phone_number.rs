//! Telephone numbers.

use serde::{Deserialize, Serialize};

/// A telephone number: digits, with a leading `+` where it is international (E.164).
///
/// Not a SIP URI, and not proof that the number exists. Personal where it is a caller's: wrap it in
/// [`super::Private`] there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number as people and SIP write it: spaces, dots, dashes, parentheses and a `tel:` are dropped.
    ///
    /// `None` where anything but digits remains, or not 2 to 15 of them (E.164 allows 15).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("tel:").unwrap_or(text);
        let international = text.starts_with('+') || text.starts_with("00");
        let digits: String = text
            .strip_prefix('+')
            .or_else(|| text.strip_prefix("00"))
            .unwrap_or(text)
            .chars()
            .filter(|character| !matches!(character, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}'))
            .collect();
        let plausible = (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plausible.then(|| Self(if international { format!("+{digits}") } else { digits }))
    }

    /// The number, digits with an optional leading `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// Whether both are plausibly the same line: equal, or one is the other's national form (its last eight
    /// or more digits agree after a trunk `0`).
    #[must_use]
    pub fn reaches_same_line(&self, other: &Self) -> bool {
        let (own, theirs) = (self.digits().trim_start_matches('0'), other.digits().trim_start_matches('0'));
        let (short, long) = if own.len() <= theirs.len() { (own, theirs) } else { (theirs, own) };
        own == theirs || (short.len() >= 8 && long.ends_with(short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let number = PhoneNumber::parse("+44 (20) 7946-0001").map(|number| number.as_str().to_owned());
        assert_eq!(number.as_deref(), Some("+442079460001"));
        assert_eq!(PhoneNumber::parse("0044 20 7946 0001"), PhoneNumber::parse("+442079460001"));
        assert_eq!(PhoneNumber::parse("anonymous"), None);
        assert_eq!(PhoneNumber::parse(""), None);
    }

    #[test]
    fn a_national_form_reaches_the_same_line() {
        let (international, national) =
            (PhoneNumber::parse("+442079460001"), PhoneNumber::parse("020 7946 0001"));
        assert!(international.zip(national).is_some_and(|(one, other)| one.reaches_same_line(&other)));
    }
}
