//! Lengths of time as people write them.

use super::section::Section;

const EXAMPLE: &str = "\"45 minutes\"`, `\"1 hour 30 minutes\"` or `\"2 days\"";

/// A length of time in minutes, within bounds: `45`, `"45 minutes"`, `"1 hour 30 minutes"`, `"2 days"`.
pub(super) fn minutes(section: &Section<'_>, key: &'static str, least: u32, most: u32) -> Option<u32> {
    let text = section.number_or_text(key)?;
    match parse(&text.value, 1) {
        Some(minutes) if (least..=most).contains(&minutes) => Some(minutes),
        Some(minutes) => {
            section.report.add(
                &text.at,
                format!("`{key}` in {} is {minutes} minutes", section.name),
                format!("write {least} to {most} minutes"),
            );
            None
        }
        None => {
            section.report.add(
                &text.at,
                format!("`{key}` in {} is not a length of time: \"{}\"", section.name, text.value),
                format!("write `{key} = {EXAMPLE}`"),
            );
            None
        }
    }
}

/// A length of time in seconds, within bounds: `20`, `"20 seconds"`, `"1 minute"`.
pub(super) fn seconds(section: &Section<'_>, key: &'static str, least: u32, most: u32) -> Option<u32> {
    let text = section.number_or_text(key)?;
    let written = text.value.trim();
    let digits = written.find(|character: char| !character.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let unit_s = match unit.trim().to_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60),
        _ => None,
    };
    let seconds = number.parse::<u32>().ok().zip(unit_s).and_then(|(number, unit)| number.checked_mul(unit));
    if seconds.is_none_or(|seconds| !(least..=most).contains(&seconds)) {
        section.report.add(
            &text.at,
            format!("`{key}` in {} is not {least} to {most} seconds: \"{}\"", section.name, text.value),
            format!("write `{key} = \"20 seconds\"`"),
        );
        return None;
    }
    seconds
}

/// A length of time in days; a bare number counts days.
pub(super) fn days(section: &Section<'_>, key: &'static str, most: u32) -> Option<u32> {
    let text = section.number_or_text(key)?;
    let days =
        parse(&text.value, 1_440).filter(|minutes| minutes % 1_440 == 0).map(|minutes| minutes / 1_440);
    if days.is_none_or(|days| days > most) {
        section.report.add(
            &text.at,
            format!("`{key}` in {} is not a number of days up to {most}: \"{}\"", section.name, text.value),
            format!("write `{key} = \"90 days\"`"),
        );
        return None;
    }
    days
}

/// Minutes; a bare number counts `unit_minutes`.
fn parse(text: &str, unit_minutes: u32) -> Option<u32> {
    let text = text.trim().replace("half an hour", "30 minutes").replace("an hour", "1 hour");
    let mut rest = text.as_str();
    let mut total: u32 = 0;
    let mut any = false;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|character: char| !character.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit.to_lowercase().as_str() {
            "" if !any && after.is_empty() => unit_minutes,
            "m" | "min" | "mins" | "minute" | "minutes" => 1,
            "h" | "hr" | "hrs" | "hour" | "hours" => 60,
            "d" | "day" | "days" => 1_440,
            "week" | "weeks" => 10_080,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(unit)?)?;
        any = true;
        let after = after.trim_start().trim_start_matches(',').trim_start();
        rest = after.strip_prefix("and ").unwrap_or(after).trim_start();
    }
    any.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, minutes) in [
            ("45", 45),
            ("45 minutes", 45),
            ("1 hour 30 minutes", 90),
            ("1 hour and 5 minutes", 65),
            ("1h30m", 90),
            ("an hour", 60),
            ("half an hour", 30),
            ("an hour and 15 minutes", 75),
            ("2 days", 2_880),
            ("1 week", 10_080),
            ("0", 0),
        ] {
            assert_eq!(parse(text, 1), Some(minutes), "{text}");
        }
        for text in ["", "soon", "half a day", "4 5", "-3", "99999999999 days", "5 fortnights"] {
            assert_eq!(parse(text, 1), None, "{text}");
        }
        assert_eq!(parse("90", 1_440), Some(129_600));
    }
}
