//! Telephone numbers as spoken, digit by digit in groups.

use super::Style;
use crate::call::brain::playbook::parse::number::cardinal_word;

fn digits(digits: &str, style: Style) -> String {
    digits
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .map(|digit| match (digit, style) {
            (0, Style::British) => "oh".to_owned(),
            _ => cardinal_word(digit),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// "oh two oh, seven nine four six, oh oh oh one".
pub(crate) fn telephone(number: &str, style: Style) -> String {
    let plus = number.starts_with('+');
    let bare: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let mut groups: Vec<String> = Vec::new();
    let mut end = bare.len();
    // From the end: four, then threes, so that what people compare is grouped as they know it.
    for size in [4, 3, 4, 4] {
        if end == 0 {
            break;
        }
        let start = if end < size + 2 { 0 } else { end - size };
        groups.push(bare.get(start..end).unwrap_or(&[]).iter().collect());
        end = start;
    }
    if end > 0 {
        groups.push(bare.get(..end).unwrap_or(&[]).iter().collect());
    }
    groups.reverse();
    let spoken = groups.iter().map(|group| digits(group, style)).collect::<Vec<_>>().join(", ");
    if plus { format!("plus {spoken}") } else { spoken }
}

/// The last three digits, to say which number is meant.
pub(crate) fn ending(number: &str, style: Style) -> String {
    let bare: String = number.chars().filter(char::is_ascii_digit).collect();
    digits(bare.get(bare.len().saturating_sub(3)..).unwrap_or_default(), style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::brain::playbook::normalise::Words;
    use crate::call::brain::playbook::parse::digits::run;

    #[test]
    fn a_number_spoken_is_read_back() {
        for number in ["+442079460001", "02079460001", "5550134", "123456", "07700900123", "+15550100134"] {
            for style in [Style::British, Style::American] {
                let spoken = telephone(number, style);
                let words = Words::of(&spoken);
                assert_eq!(run(&words, 0), Some((number.to_owned(), words.len())), "{spoken}");
            }
        }
        assert_eq!(telephone("02079460001", Style::British), "oh two oh seven, nine four six, oh oh oh one");
    }
}
