//! Times of day as spoken: "half past two", "quarter to four"; "two thirty" in American English.

use jiff::civil::Time;

use super::Style;
use crate::call::brain::playbook::parse::number::cardinal_word;

fn hour_word(hour: i8) -> String {
    let twelve = (hour.rem_euclid(24) + 11) % 12 + 1;
    cardinal_word(u32::try_from(twelve).unwrap_or_default())
}

/// "in the morning", "in the afternoon", "in the evening"; empty for noon and midnight.
pub(crate) fn part(time: Time) -> &'static str {
    match (time.hour(), time.minute()) {
        (0 | 12, 0) => "",
        (0..=11, _) => "in the morning",
        (12..=17, _) => "in the afternoon",
        _ => "in the evening",
    }
}

/// Without its half of the day.
pub(crate) fn short(time: Time, style: Style) -> String {
    let (hour, minute) = (time.hour(), u32::try_from(time.minute()).unwrap_or_default());
    let (this, next) = (hour_word(hour), hour_word(hour + 1));
    match (hour, minute, style) {
        (12, 0, _) => "noon".to_owned(),
        (0, 0, _) => "midnight".to_owned(),
        (_, 0, _) => format!("{this} o'clock"),
        (_, 1..=9, _) => format!("{this} oh {}", cardinal_word(minute)),
        (_, 15, Style::British) => format!("quarter past {this}"),
        (_, 30, Style::British) => format!("half past {this}"),
        (_, 45, Style::British) => format!("quarter to {next}"),
        (_, 10 | 20 | 25, Style::British) => format!("{} past {this}", cardinal_word(minute)),
        (_, 35 | 40 | 50 | 55, Style::British) => format!("{} to {next}", cardinal_word(60 - minute)),
        _ => format!("{this} {}", cardinal_word(minute)),
    }
}

/// With its half of the day: "half past two in the afternoon".
pub(crate) fn full(time: Time, style: Style) -> String {
    let part = part(time);
    let spoken = short(time, style);
    if part.is_empty() { spoken } else { format!("{spoken} {part}") }
}
