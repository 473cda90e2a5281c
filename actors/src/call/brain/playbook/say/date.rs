//! Days as spoken: "tomorrow", "Tuesday the third of March", "Tuesday, March third".

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::Style;
use crate::call::brain::playbook::parse::number::{cardinal_word, ordinal_word};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const fn weekday(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn year(year: i16) -> String {
    let year = u32::try_from(year).unwrap_or_default();
    let rest = year % 100;
    if rest < 20 {
        cardinal_word(year)
    } else {
        format!("{} {}", cardinal_word(year / 100), cardinal_word(rest))
    }
}

/// The day by weekday and date; with the year where it is not plain.
pub(crate) fn full(date: Date, today: Date, style: Style) -> String {
    let month = usize::try_from(date.month() - 1)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or_default();
    let day = ordinal_word(u32::try_from(date.day()).unwrap_or_default());
    let name = weekday(date.weekday());
    let spoken = match style {
        Style::British => format!("{name} the {day} of {month}"),
        Style::American => format!("{name}, {month} {day}"),
    };
    let near = today.checked_add(300.days()).is_ok_and(|limit| date <= limit) && date >= today;
    if near { spoken } else { format!("{spoken} {}", year(date.year())) }
}

/// "today", "tomorrow", or the full date.
pub(crate) fn near(date: Date, today: Date, style: Style) -> String {
    if date == today {
        "today".to_owned()
    } else if today.tomorrow().is_ok_and(|tomorrow| tomorrow == date) {
        "tomorrow".to_owned()
    } else {
        full(date, today, style)
    }
}

/// With "on" before it, where that is said: "on Tuesday the third of March", "tomorrow".
pub(crate) fn on(date: Date, today: Date, style: Style) -> String {
    let spoken = near(date, today, style);
    if matches!(spoken.as_str(), "today" | "tomorrow") { spoken } else { format!("on {spoken}") }
}

/// For a confirmation: "tomorrow, Tuesday the third of March".
pub(crate) fn certain(date: Date, today: Date, style: Style) -> String {
    let spoken = near(date, today, style);
    if matches!(spoken.as_str(), "today" | "tomorrow") {
        format!("{spoken}, {}", full(date, today, style))
    } else {
        format!("on {spoken}")
    }
}
