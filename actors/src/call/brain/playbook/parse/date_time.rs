//! When: all days and times of an utterance together, with what they say about each other.

use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::date::{Calendar, Days, Spoken, date};
use super::number::cardinal;
use super::time::{Clock, TimeOfDay, time};
use crate::call::brain::playbook::normalise::Words;

/// What an utterance says about when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct When {
    /// Any of these days.
    pub(crate) days: Vec<Days>,
    /// At any of these times.
    pub(crate) times: Vec<TimeOfDay>,
    /// As soon as there is a place.
    pub(crate) soonest: bool,
    /// A day that is over.
    pub(crate) past: Option<Date>,
    /// The words that said so.
    pub(crate) spans: Vec<Range<usize>>,
}

impl When {
    pub(crate) fn is_empty(&self) -> bool {
        self.days.is_empty() && self.times.is_empty() && !self.soonest && self.past.is_none()
    }
}

const CORRECTIONS: [&str; 9] =
    ["no", "sorry", "actually", "rather", "mean", "meant", "wait", "oops", "scratch"];

/// Reads days and times. With `bare`, a number alone is a time.
pub(crate) fn when(words: &Words, calendar: &Calendar, now: DateTime, bare: bool) -> When {
    let mut when = When::default();
    if let Some((moment, span)) = from_now(words, now) {
        when.days = vec![Days::one(moment.date())];
        when.times = vec![TimeOfDay::At(Clock::sure(moment.time()))];
        when.spans = vec![span];
        return when;
    }
    let dates = scan(words, &[], |index| date(words, index, calendar));
    let taken: Vec<Range<usize>> = dates.iter().map(|(_, span)| span.clone()).collect();
    let times = scan(words, &taken, |index| time(words, index, bare));
    let times = combine(latest(words, times));
    for (spoken, span) in latest(words, dates) {
        match spoken {
            Spoken::Days(days) => when.days.push(days),
            Spoken::Soonest => when.soonest = true,
            Spoken::Past(date) => when.past = Some(date),
        }
        when.spans.push(span);
    }
    when.days = bounded(words, &when.days, &when.spans, calendar);
    if when.past.is_some() && !when.days.is_empty() {
        when.past = None;
    }
    for (time, span) in times {
        when.times.push(time);
        when.spans.push(span);
    }
    when
}

fn scan<T>(
    words: &Words,
    taken: &[Range<usize>],
    read: impl Fn(usize) -> super::Found<T>,
) -> Vec<(T, Range<usize>)> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < words.len() && found.len() < 6 {
        if taken.iter().any(|span| span.contains(&index)) && !words.any(index, &["tonight"]) {
            index += 1;
            continue;
        }
        match read(index) {
            Some((value, length)) => {
                found.push((value, index..index + length.max(1)));
                index += length.max(1);
            }
            None => index += 1,
        }
    }
    found
}

/// "tuesday no wednesday" is Wednesday; "wednesday not tuesday", too.
fn latest<T>(words: &Words, found: Vec<(T, Range<usize>)>) -> Vec<(T, Range<usize>)> {
    let mut kept: Vec<(T, Range<usize>)> = Vec::new();
    for (value, span) in found {
        let lead = (span.start.saturating_sub(2)..span.start).any(|index| words.at(index) == "not");
        let instead = words.text(span.start.saturating_sub(3), span.start).contains("instead of");
        if (lead || instead) && (!kept.is_empty() || words.len() > span.end + 1) {
            continue;
        }
        let corrected = kept.last().is_some_and(|(_, last)| {
            (last.end..span.start).any(|index| CORRECTIONS.contains(&words.at(index)))
        });
        if corrected {
            kept.clear();
        }
        kept.push((value, span));
    }
    kept
}

/// "tomorrow morning at nine": the part of the day settles the hour.
fn combine(mut times: Vec<(TimeOfDay, Range<usize>)>) -> Vec<(TimeOfDay, Range<usize>)> {
    let part = times.iter().find_map(|(time, _)| match time {
        TimeOfDay::Part(part) => Some(*part),
        _ => None,
    });
    let Some(part) = part.filter(|_| times.len() > 1) else { return times };
    let (from, until) = part.span();
    let mut settled = false;
    for (time, _) in &mut times {
        *time = match *time {
            TimeOfDay::At(clock) => TimeOfDay::At(clock.within(from, until)),
            TimeOfDay::Around(clock) => TimeOfDay::Around(clock.within(from, until)),
            TimeOfDay::After(clock) => TimeOfDay::After(clock.within(from, until)),
            TimeOfDay::Before(clock) => TimeOfDay::Before(clock.within(from, until)),
            other => other,
        };
        settled |= matches!(
            time,
            TimeOfDay::At(_) | TimeOfDay::Around(_) | TimeOfDay::After(_) | TimeOfDay::Before(_)
        );
    }
    if settled {
        times.retain(|(time, _)| !matches!(time, TimeOfDay::Part(_)));
    }
    times
}

/// "before friday", "after tuesday", "by thursday", "between monday and wednesday".
fn bounded(words: &Words, days: &[Days], spans: &[Range<usize>], calendar: &Calendar) -> Vec<Days> {
    let shifted = |date: Date, by: i64| date.checked_add(by.days()).unwrap_or(date);
    let lead = spans.first().map_or("", |span| {
        let on_the = usize::from(words.any(span.start.saturating_sub(1), &["the", "on"]));
        words.before(span.start, 1 + on_the)
    });
    match (lead, days) {
        ("between" | "from", [first, second, ..]) if first.from <= second.until => {
            vec![Days { from: first.from, until: second.until, weekly: false }]
        }
        ("before", [day]) if day.from > calendar.today => {
            vec![Days { from: calendar.today, until: shifted(day.from, -1), weekly: false }]
        }
        ("by", [day]) => vec![Days { from: calendar.today, until: day.until, weekly: false }],
        ("after", [day]) => {
            vec![Days { from: shifted(day.until, 1), until: shifted(day.until, 7), weekly: false }]
        }
        ("from" | "since", [day]) => {
            vec![Days { from: day.from, until: shifted(day.from, 6), weekly: false }]
        }
        _ => days.to_vec(),
    }
}

/// "in an hour", "in half an hour", "in twenty minutes", rounded up to five minutes.
fn from_now(words: &Words, now: DateTime) -> Option<(DateTime, Range<usize>)> {
    for index in (0..words.len()).filter(|index| words.at(*index) == "in") {
        let (minutes, length) = if let Some(length) = words.starts(index + 1, "half an hour") {
            (30, length)
        } else if let Some((count, length)) = cardinal(words, index + 1) {
            match words.at(index + 1 + length) {
                "minute" | "minutes" => (i64::from(count), length + 1),
                "hour" | "hours" => (60 * i64::from(count), length + 1),
                _ => continue,
            }
        } else {
            continue;
        };
        let later = now.checked_add(minutes.min(7 * 24 * 60).minutes()).ok()?;
        let round_up = (5 - i64::from(later.minute()) % 5) % 5;
        let rounded = later.checked_add(round_up.minutes()).ok()?;
        let moment = rounded.with().second(0).subsec_nanosecond(0).build().ok()?;
        return Some((moment, index..index + 1 + length));
    }
    None
}

#[cfg(test)]
#[path = "date_time_tests.rs"]
mod tests;
