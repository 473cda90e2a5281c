//! Whether two numbers are of one country, by the country codes of ITU-T E.164 (list of 2016).

use crate::types::PhoneNumber;

/// The country codes of two digits; 1 and 7 have one, all others three.
const OF_TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
    "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
    "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// The country's code of an international number.
fn code(number: &PhoneNumber) -> Option<&str> {
    let digits = number.as_str().strip_prefix('+')?;
    let length = match digits.get(..2)? {
        start if start.starts_with(['1', '7']) => 1,
        start if OF_TWO_DIGITS.contains(&start) => 2,
        _ => 3,
    };
    digits.get(..length)
}

/// Whether a number is of the same country as any of these. A national one is taken for one of the country that it is
/// seen in; of an international one that must be known.
pub(super) fn is_domestic(number: &PhoneNumber, own: &[PhoneNumber]) -> bool {
    match code(number) {
        Some(theirs) => own.iter().any(|own| code(own) == Some(theirs)),
        None => true,
    }
}
