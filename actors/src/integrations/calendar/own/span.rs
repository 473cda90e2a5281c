//! Spans of time, and arithmetic with lists of them. Lists are in order, and their spans don't touch.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::types::{Hours, OpeningHours};

/// From the first to the second, which is not included.
pub(super) type Span = (Timestamp, Timestamp);

/// When these hours are open on the days from `first` to `last`. Spans that touch, as over midnight, are one.
pub(super) fn open(hours: &Hours, zone: &TimeZone, first: Date, last: Date) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut date = Some(first);
    while let Some(today) = date.filter(|today| *today <= last) {
        for hours in hours.on(today) {
            let Some((from, until)) = instants(*hours, zone, today) else { continue };
            match spans.last_mut() {
                Some(before) if from <= before.1 => before.1 = before.1.max(until),
                _ => spans.push((from, until)),
            }
        }
        date = today.tomorrow().ok();
    }
    spans
}

/// A span of a day's clock as instants. A time that the clock skips (daylight saving begins) is taken as that
/// much later; one that it shows twice is the first (RFC 5545 section 3.3.5).
fn instants(hours: OpeningHours, zone: &TimeZone, date: Date) -> Option<Span> {
    let instant =
        |date: Date, time: Time| zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok();
    let ends = if hours.until == Time::midnight() { date.tomorrow().ok()? } else { date };
    let (from, until) = (instant(date, hours.from)?, instant(ends, hours.until)?);
    (from < until).then_some((from, until))
}

/// What lies in both.
pub(super) fn both(one: &[Span], other: &[Span]) -> Vec<Span> {
    let mut spans = Vec::new();
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let (from, until) = (a.0.max(b.0), a.1.min(b.1));
        if from < until {
            spans.push((from, until));
        }
        if a.1 <= b.1 {
            one.next();
        } else {
            other.next();
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn hours(text: &[(i8, i8)]) -> Hours {
        let spans: Vec<OpeningHours> = text
            .iter()
            .map(|(from, until)| OpeningHours {
                from: Time::constant(*from, 0, 0, 0),
                until: Time::constant(*until % 24, 0, 0, 0),
            })
            .collect();
        let days = (0..7).map(|day| (date(2026, 11, 23 + day).weekday().into(), spans.clone())).collect();
        Hours { week: days, exceptions: Vec::new() }
    }

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").expect("known")
    }

    #[test]
    fn spans_over_midnight_are_one() {
        let spans = open(&hours(&[(0, 24)]), &london(), date(2026, 11, 23), date(2026, 11, 25));
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0].1.duration_since(spans[0].0).as_hours(), 72);
    }

    #[test]
    fn a_day_is_as_long_as_its_clock_makes_it() {
        for (day, hours_long) in [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)] {
            let spans = open(&hours(&[(0, 24)]), &london(), day, day);
            assert_eq!(spans[0].1.duration_since(spans[0].0).as_hours(), hours_long, "{day}");
        }
        // Opening at one, which does not exist that day, is opening at two.
        let spans = open(&hours(&[(1, 9)]), &london(), date(2026, 3, 29), date(2026, 3, 29));
        assert_eq!(spans[0].0.to_string(), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn both_is_what_lies_in_both() {
        let at = |hour: i64| Timestamp::from_second(hour * 3_600).expect("in range");
        let spans = |list: &[(i64, i64)]| list.iter().map(|(a, b)| (at(*a), at(*b))).collect::<Vec<_>>();
        assert_eq!(
            both(&spans(&[(1, 5), (8, 9)]), &spans(&[(0, 2), (4, 10)])),
            spans(&[(1, 2), (4, 5), (8, 9)])
        );
        assert_eq!(both(&spans(&[(1, 2)]), &spans(&[(2, 3)])), spans(&[]));
    }
}
