//! Services as spoken, and how long they take.

use crate::call::brain::playbook::parse::number::cardinal_word;

/// "a men's haircut", "an eye test"; "highlights" and "teeth whitening" go without.
pub(crate) fn with_article(name: &str) -> String {
    let last = name.rsplit(' ').next().unwrap_or_default().to_lowercase();
    let first = name.chars().next().map(|first| first.to_ascii_lowercase());
    let plural = last.ends_with('s') && !last.ends_with("ss") && !last.ends_with("'s");
    if plural || last.ends_with("ing") && name.contains(' ') {
        return lower_first(name);
    }
    let article = if matches!(first, Some('a' | 'e' | 'i' | 'o' | 'u')) { "an" } else { "a" };
    format!("{article} {}", lower_first(name))
}

/// Within a sentence: "Haircut" is "haircut", "MOT test" stays.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == '\'' => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => name.to_owned(),
    }
}

/// "forty-five minutes", "an hour and a half".
pub(crate) fn duration(minutes: u32) -> String {
    let plural = |count: u32, unit: &str| match count {
        1 => format!("{} {unit}", if unit == "hour" { "an" } else { "one" }),
        _ => format!("{} {unit}s", cardinal_word(count)),
    };
    match (minutes / 60, minutes % 60) {
        (0, rest) => plural(rest, "minute"),
        (hours, 0) => plural(hours, "hour"),
        (1, 30) => "an hour and a half".to_owned(),
        (hours, 30) => format!("{} and a half hours", cardinal_word(hours)),
        (hours, rest) => format!("{} and {}", plural(hours, "hour"), plural(rest, "minute")),
    }
}

/// "ninety days", "one day".
pub(crate) fn days(days: u32) -> String {
    if days == 1 { "one day".to_owned() } else { format!("{} days", cardinal_word(days)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_in_a_sentence() {
        assert_eq!(with_article("Men's haircut"), "a men's haircut");
        assert_eq!(with_article("Eye test"), "an eye test");
        assert_eq!(with_article("Highlights"), "highlights");
        assert_eq!(with_article("MOT test"), "a MOT test");
        assert_eq!(duration(45), "forty-five minutes");
        assert_eq!(duration(60), "an hour");
        assert_eq!(duration(90), "an hour and a half");
        assert_eq!(duration(75), "an hour and fifteen minutes");
    }
}
