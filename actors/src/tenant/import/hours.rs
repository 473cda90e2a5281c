//! Opening hours: `monday = "9:00-12:00, 13:00-17:00"`, and the days that differ.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::{Date, Time};

use super::section::{Section, Text};
use crate::types::{Closure, DayOfWeek, Hours, OpeningHours};

use DayOfWeek::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

const SPANS: &str = "\"9:00-17:00\"`, `\"9:00-12:00, 13:00-17:00\"` or `\"closed\"";

/// What each key of a week stands for; a later one overrides an earlier one.
const DAYS: [(&str, &[DayOfWeek]); 10] = [
    ("every_day", &[Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday]),
    ("weekdays", &[Monday, Tuesday, Wednesday, Thursday, Friday]),
    ("weekend", &[Saturday, Sunday]),
    ("monday", &[Monday]),
    ("tuesday", &[Tuesday]),
    ("wednesday", &[Wednesday]),
    ("thursday", &[Thursday]),
    ("friday", &[Friday]),
    ("saturday", &[Saturday]),
    ("sunday", &[Sunday]),
];

/// Reads a table of days.
pub(super) fn week(section: Section<'_>) -> BTreeMap<DayOfWeek, Vec<OpeningHours>> {
    let mut week = BTreeMap::new();
    for (key, days) in DAYS {
        let Some(spans) = section.text(key).and_then(|text| spans(&section, key, &text)) else { continue };
        for day in days {
            if spans.is_empty() {
                week.remove(day)
            } else {
                week.insert(*day, spans.clone())
            };
        }
    }
    section.finish();
    week
}

/// The week of one that is always there.
fn always() -> BTreeMap<DayOfWeek, Vec<OpeningHours>> {
    let all_day = vec![OpeningHours { from: Time::midnight(), until: Time::midnight() }];
    DAYS.into_iter().flat_map(|(_, days)| days).map(|day| (*day, all_day.clone())).collect()
}

/// A person's, room's or department's own hours, where it has any: a table of days and the days that differ.
/// Whoever has only days that differ is else always there.
pub(super) fn own(section: &Section<'_>, kind: &str, differ: &'static str) -> Option<Hours> {
    let given = section.table("hours", &format!("[{kind}.hours]")).map(week);
    let exceptions = closures(section.tables(differ, &format!("[[{kind}.{differ}]]")));
    match given {
        Some(week) => Some(Hours { week, exceptions }),
        None if exceptions.is_empty() => None,
        None => Some(Hours { week: always(), exceptions }),
    }
}

/// Reads the days that differ, in the order they are written.
pub(super) fn closures(sections: Vec<Section<'_>>) -> Vec<Closure> {
    let mut closures: Vec<Closure> = Vec::new();
    for section in sections {
        let from = date(&section, "from");
        let until = if section.has("until") { date(&section, "until") } else { from };
        let hours = section.text("hours").and_then(|text| spans(&section, "hours", &text));
        let reason = section.text("reason").map(|text| text.value);
        let at = section.at.clone();
        let report = section.report;
        let name = section.name.clone();
        section.finish();
        let Some((from, until)) = from.zip(until) else { continue };
        if until < from {
            report.add(
                &at,
                format!("{name} ends on {until}, before it begins"),
                format!("write `until = {from}`"),
            );
        }
        if let Some(other) = closures.iter().find(|other| from <= other.until && other.from <= until) {
            report.add(
                &at,
                format!("{name} from {from} overlaps the one from {}", other.from),
                "let each day be in one of them only",
            );
        }
        closures.push(Closure { from, until, hours: hours.unwrap_or_default(), reason });
    }
    closures
}

fn date(section: &Section<'_>, key: &'static str) -> Option<Date> {
    if !section.has(key) {
        section.missing(key, "2026-12-25");
    }
    let text = section.date_text(key)?;
    let date = text.value.parse().ok();
    if date.is_none() {
        section.report.add(
            &text.at,
            format!("`{key}` in {} is not a date: \"{}\"", section.name, text.value),
            format!("write `{key} = 2026-12-25`, year first"),
        );
    }
    date
}

/// Reads the spans of a day, and reports those that are out of order or overlap.
fn spans(section: &Section<'_>, key: &str, text: &Text) -> Option<Vec<OpeningHours>> {
    let wrong = |what: String, instead: &str| {
        section.report.add(&text.at, format!("`{key}` in {} {what}", section.name), instead);
    };
    match text.value.to_lowercase().as_str() {
        "closed" => return Some(Vec::new()),
        "always" | "all day" | "open" => {
            return Some(vec![OpeningHours { from: Time::midnight(), until: Time::midnight() }]);
        }
        _ => {}
    }
    let mut spans: Vec<(Range<u32>, OpeningHours)> = Vec::new();
    for part in text.value.split(',') {
        let Some((minutes, span)) = span(part) else {
            wrong(
                format!("is not a span of hours: \"{}\"", part.trim()),
                &format!("write `{key} = {SPANS}`"),
            );
            return None;
        };
        if minutes.is_empty() {
            wrong(
                format!("ends before it begins: \"{}\"", part.trim()),
                "write the earlier time first, and split a span over midnight between its two days",
            );
            return None;
        }
        spans.push((minutes, span));
    }
    spans.sort_by_key(|(minutes, _)| minutes.start);
    let touching = spans.windows(2).find_map(|pair| match pair {
        [one, other] if other.0.start <= one.0.end => Some((one.1, other.1)),
        _ => None,
    });
    if let Some((one, other)) = touching {
        let (one, other) = (written(one), written(other));
        wrong(format!("has spans that overlap or touch: {one} and {other}"), "join them into one");
        return None;
    }
    Some(spans.into_iter().map(|(_, span)| span).collect())
}

fn written(span: OpeningHours) -> String {
    format!("{}-{}", span.from.strftime("%H:%M"), span.until.strftime("%H:%M"))
}

/// One span, with its minutes of the day.
fn span(text: &str) -> Option<(Range<u32>, OpeningHours)> {
    let text = text.trim().to_lowercase().replace('\u{2013}', "-").replace(" to ", "-");
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minute_of_day(from)?, minute_of_day(until)?);
    let end = if until == 0 { 1_440 } else { until };
    let time = |minute: u32| {
        let (hour, minute) = ((minute % 1_440) / 60, minute % 60);
        Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
    };
    Some((from..end, OpeningHours { from: time(from)?, until: time(until)? }))
}

/// `9`, `9:30`, `9.30`, `17:00`, `5pm`, `12 am`; 24:00 is the end of the day.
fn minute_of_day(text: &str) -> Option<u32> {
    let text = text.trim();
    let (text, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(text), _) => (text.trim(), Some(0)),
        (_, Some(text)) => (text.trim(), Some(12)),
        _ => (text, None),
    };
    let (hour, minute) = text.split_once([':', '.']).unwrap_or((text, "0"));
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_times_of_day_that_people_write() {
        for (text, minute) in [
            ("9", 540),
            ("9:30", 570),
            ("09.30", 570),
            ("5pm", 1_020),
            ("12am", 0),
            ("12 pm", 720),
            ("24:00", 1_440),
        ] {
            assert_eq!(minute_of_day(text), Some(minute), "{text}");
        }
        for text in ["", "25:00", "9:60", "13pm", "nine", "24:01", "-1"] {
            assert_eq!(minute_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn midnight_ends_a_span() {
        assert_eq!(span("18:00-24:00").map(|(minutes, _)| minutes), Some(1_080..1_440));
        assert_eq!(span("18:00 to 0:00").map(|(minutes, _)| minutes), Some(1_080..1_440));
        assert_eq!(span("9am\u{2013}5pm").map(|(minutes, _)| minutes), Some(540..1_020));
    }
}
