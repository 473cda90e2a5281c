//! Opening hours as spoken.

use super::{Style, list, time};
use crate::types::{DayOfWeek, Hours, OpeningHours};

/// "nine o'clock to half past five".
pub(crate) fn span(span: &OpeningHours, style: Style) -> String {
    format!("{} to {}", time::short(span.from, style), time::short(span.until, style))
}

/// "from nine o'clock to noon and from one o'clock to five o'clock".
pub(crate) fn spans(spans: &[OpeningHours], style: Style) -> String {
    let spoken: Vec<String> = spans.iter().map(|each| format!("from {}", span(each, style))).collect();
    list::and(&spoken)
}

const WEEK: [(DayOfWeek, &str); 7] = [
    (DayOfWeek::Monday, "Monday"),
    (DayOfWeek::Tuesday, "Tuesday"),
    (DayOfWeek::Wednesday, "Wednesday"),
    (DayOfWeek::Thursday, "Thursday"),
    (DayOfWeek::Friday, "Friday"),
    (DayOfWeek::Saturday, "Saturday"),
    (DayOfWeek::Sunday, "Sunday"),
];

/// The usual week, days with the same hours together, in whole sentences.
pub(crate) fn week(hours: &Hours, style: Style) -> String {
    let on = |day: &DayOfWeek| hours.week.get(day).map_or(&[][..], Vec::as_slice);
    let mut groups: Vec<(Vec<&str>, &[OpeningHours])> = Vec::new();
    for (day, name) in &WEEK {
        match groups.last_mut() {
            Some((names, spans)) if *spans == on(day) => names.push(name),
            _ => groups.push((vec![name], on(day))),
        }
    }
    let days = |names: &[&str]| match names {
        [only] => (*only).to_owned(),
        [first, last] => format!("{first} and {last}"),
        [first, .., last] => format!("{first} to {last}"),
        [] => String::new(),
    };
    let open: Vec<String> = groups
        .iter()
        .filter(|(_, hours)| !hours.is_empty())
        .map(|(names, hours)| format!("{} {}", days(names), spans(hours, style)))
        .collect();
    let closed: Vec<String> =
        groups.iter().filter(|(_, hours)| hours.is_empty()).map(|(names, _)| days(names)).collect();
    match (open.is_empty(), closed.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!("We're open {}.", list::and(&open)),
        (false, false) => format!("We're open {}. We're closed on {}.", list::and(&open), list::and(&closed)),
    }
}
