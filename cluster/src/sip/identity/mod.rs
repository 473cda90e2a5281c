//! What a network vouches for of a caller (STIR/SHAKEN): the Identity header (RFC 8224), the token in it (PASSporT,
//! RFC 8225) with its attestation (RFC 8588), and the numbers that its certificate may vouch for (RFC 8226).
//!
//! No certificate is fetched or trusted here: that takes a network and a clock.

mod authority;
mod passport;

pub use authority::{Authority, OID};
pub use passport::{Fault, Grade, Passport, Said};

use super::wire::{HeaderName, Request};

/// Identity headers of one INVITE that are looked at: there may be others beside the caller's.
const HEADERS_MAX: usize = 4;
/// The longest one that is looked at.
const HEADER_BYTES_MAX: usize = 4_096;

/// The values of a request's Identity headers, as far as they are looked at.
#[must_use]
pub fn claims(request: &Request) -> Vec<String> {
    let all = request.headers.get_all(&HeaderName::Identity).take(HEADERS_MAX);
    all.map(|header| header.value().into_owned())
        .map(|value| if value.len() > HEADER_BYTES_MAX { Vec::new() } else { value })
        .map(|value| String::from_utf8_lossy(&value).into_owned())
        .collect()
}

/// A number as tokens have it: digits alone, with the country's code (RFC 8224 section 8.3). `country` is put before
/// one that has none, where it is not empty. `None` for what is no number.
#[must_use]
pub fn canonical(number: &str, country: &str) -> Option<String> {
    let international = number.trim_start().starts_with('+');
    if !number.chars().all(|one| one.is_ascii_digit() || "+-.() *#".contains(one)) {
        return None;
    }
    let digits: String = number.chars().filter(|one| one.is_ascii_digit() || "*#".contains(*one)).collect();
    if digits.is_empty() {
        return None;
    }
    if international || country.is_empty() || digits.starts_with(country) {
        return Some(digits);
    }
    Some(format!("{country}{}", digits.strip_prefix('0').unwrap_or(&digits)))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (number, country, expected) in [
            ("+44 (20) 7946-0001", "44", Some("442079460001")),
            ("020 7946 0001", "44", Some("442079460001")),
            ("2125550123", "1", Some("12125550123")),
            ("12125550123", "1", Some("12125550123")),
            ("+12125550123", "44", Some("12125550123")),
            ("1000", "", Some("1000")),
            ("anonymous", "1", None),
            ("", "1", None),
        ] {
            assert_eq!(canonical(number, country).as_deref(), expected, "{number}");
        }
    }
}
