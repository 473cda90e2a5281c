//! What a certificate may vouch for: its TNAuthList (RFC 8226 section 9).
//!
//! ```text
//! TNAuthorizationList ::= SEQUENCE OF CHOICE {
//!     spc [0] IA5String,                                   a provider, by its code
//!     range [1] SEQUENCE { start IA5String, count INTEGER },
//!     one [2] IA5String }                                  a number
//! ```

use super::canonical;

/// The object identifier of the extension.
pub const OID: &str = "1.3.6.1.5.5.7.1.26";

/// Entries of one list that are looked at.
const ENTRIES_MAX: usize = 1_000;
const SEQUENCE: u8 = 0x30;
const IA5_STRING: u8 = 0x16;
const INTEGER: u8 = 0x02;
const PROVIDER: u8 = 0xa0;
const RANGE: u8 = 0xa1;
const ONE: u8 = 0xa2;

/// Who or what a certificate may vouch for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authority {
    /// It is a provider's: which numbers are that provider's is not written in it.
    is_provider: bool,
    /// First numbers, and how many there are from each on.
    ranges: Vec<(String, u64)>,
}

impl Authority {
    /// Reads the extension's content. `None` where it can't be read or vouches for nothing.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (SEQUENCE, list, []) = element(der)? else { return None };
        let mut authority = Self::default();
        let mut rest = list;
        for _ in 0..ENTRIES_MAX {
            if rest.is_empty() {
                break;
            }
            let (tag, content, after) = element(rest)?;
            rest = after;
            match tag {
                PROVIDER => authority.is_provider = true,
                RANGE => {
                    let (first, count) = range(content)?;
                    authority.ranges.push((first, count));
                }
                ONE => authority.ranges.push((text(content)?, 1)),
                _ => return None,
            }
        }
        (authority.is_provider || !authority.ranges.is_empty()).then_some(authority)
    }

    /// Whether it may vouch for this number.
    #[must_use]
    pub fn covers(&self, number: &str) -> bool {
        let covers = |first: &String, count: u64| {
            let of = |text: &str| text.parse::<u64>().ok();
            let (Some(start), Some(number)) = (of(first), of(number).filter(|_| number.len() == first.len()))
            else {
                return first == number;
            };
            number >= start && number - start < count
        };
        self.is_provider || self.ranges.iter().any(|(first, count)| covers(first, *count))
    }
}

/// The first element: its tag, its content, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let bytes = usize::from(long & 0x7f);
            if !(1..=3).contains(&bytes) {
                return None;
            }
            let (length, rest) = rest.split_at_checked(bytes)?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

fn text(der: &[u8]) -> Option<String> {
    let (IA5_STRING, content, []) = element(der)? else { return None };
    canonical(std::str::from_utf8(content).ok()?, "")
}

fn range(der: &[u8]) -> Option<(String, u64)> {
    let (tag, content, after) = element(der)?;
    // Both ways of tagging are in use.
    let content = if tag == SEQUENCE && after.is_empty() { content } else { der };
    let (IA5_STRING, first, rest) = element(content)? else { return None };
    let (INTEGER, count, _) = element(rest)? else { return None };
    if count.len() > 8 || count.first().is_none_or(|sign| *sign > 0x7f) {
        return None;
    }
    let count = count.iter().fold(0_u64, |count, byte| count << 8 | u64::from(*byte));
    Some((canonical(std::str::from_utf8(first).ok()?, "")?, count))
}

#[cfg(test)]
mod tests {
    use super::Authority;

    fn ia5(text: &str) -> Vec<u8> {
        [&[0x16, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_providers_certificate_covers_all_and_a_numbers_its_own() {
        let provider = Authority::read(&tagged(0x30, &tagged(0xa0, &ia5("709J")))).expect("a provider");
        assert!(provider.covers("12155551212"));
        let range = tagged(0x30, &[ia5("12155551200"), vec![0x02, 0x01, 100]].concat());
        let list = [tagged(0xa1, &range), tagged(0xa2, &ia5("442079460001"))].concat();
        let numbers = Authority::read(&tagged(0x30, &list)).expect("numbers");
        for (number, is_covered) in [
            ("12155551200", true),
            ("12155551299", true),
            ("12155551300", false),
            ("12155551199", false),
            ("2155551212", false),
            ("442079460001", true),
            ("442079460002", false),
        ] {
            assert_eq!(numbers.covers(number), is_covered, "{number}");
        }
    }

    #[test]
    fn what_can_not_be_read_covers_nothing() {
        let endless =
            tagged(0x30, &tagged(0xa1, &tagged(0x30, &[ia5("1"), vec![0x02, 0x01, 0xff]].concat())));
        for wrong in [
            &b""[..],
            &[0x30, 0],
            &[0x30, 5, 1],
            &[0x30, 0x84, 1, 1, 1, 1],
            &tagged(0x30, &ia5("x")),
            &endless,
        ] {
            assert_eq!(Authority::read(wrong), None, "{wrong:?}");
        }
    }
}
