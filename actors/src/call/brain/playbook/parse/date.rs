//! Days: "tomorrow", "next tuesday", "a week from thursday", "the twenty first", "march third", "10/3".

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use super::Found;
use super::holiday::holiday;
use super::number::{cardinal, ordinal, small};
use crate::call::brain::playbook::normalise::Words;

/// What a date is read against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// The day of the call, in the business's zone.
    pub(crate) today: Date,
    /// "10/3" is the tenth of March, as in Britain; else October the third.
    pub(crate) day_first: bool,
}

/// A span of days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Days {
    pub(crate) from: Date,
    pub(crate) until: Date,
    /// Said as a bare weekday: where today is meant but its time is over, it is the one a week later.
    pub(crate) weekly: bool,
}

impl Days {
    pub(crate) const fn one(date: Date) -> Self {
        Self { from: date, until: date, weekly: false }
    }

    pub(crate) fn holds(&self, date: Date) -> bool {
        self.from <= date && date <= self.until
    }

    pub(crate) fn single(&self) -> Option<Date> {
        (self.from == self.until).then_some(self.from)
    }
}

/// A day as said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Days(Days),
    /// As soon as there is a place.
    Soonest,
    /// It is over.
    Past(Date),
}

impl Calendar {
    fn plus(&self, date: Date, days: i64) -> Date {
        date.checked_add(days.days()).unwrap_or(date)
    }

    fn monday(&self) -> Date {
        self.plus(self.today, -i64::from(self.today.weekday().to_monday_zero_offset()))
    }

    /// The next such weekday, today included.
    fn coming(&self, weekday: Weekday) -> Date {
        self.plus(self.today, i64::from(self.today.weekday().until(weekday)))
    }

    fn week(&self, ahead: i64) -> Days {
        let monday = self.plus(self.monday(), 7 * ahead);
        Days { from: monday.max(self.today), until: self.plus(monday, 6), weekly: false }
    }

    /// A day and month without a year: the next one, today included.
    fn next(&self, month: i8, day: i8) -> Option<Date> {
        let this_year = self.today.year();
        (this_year..=this_year + 8)
            .filter_map(|year| Date::new(year, month, day).ok())
            .find(|date| *date >= self.today)
    }

    fn judged(&self, date: Date) -> Spoken {
        if date < self.today { Spoken::Past(date) } else { Spoken::Days(Days::one(date)) }
    }
}

/// "tuesday", "tuesdays", "tues".
pub(crate) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mondays" | "mon" => Weekday::Monday,
        "tuesday" | "tuesdays" | "tue" | "tues" => Weekday::Tuesday,
        "wednesday" | "wednesdays" | "weds" => Weekday::Wednesday,
        "thursday" | "thursdays" | "thu" | "thur" | "thurs" => Weekday::Thursday,
        "friday" | "fridays" | "fri" => Weekday::Friday,
        "saturday" | "saturdays" => Weekday::Saturday,
        "sunday" | "sundays" => Weekday::Sunday,
        _ => return None,
    })
}

/// The months as spoken, January first.
pub(crate) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn month(word: &str) -> Option<i8> {
    let full = MONTHS.iter().position(|month| *month == word);
    let short = || {
        MONTHS
            .iter()
            .position(|month| word.len() >= 3 && word != "mar" && month.starts_with(word) && word.len() < 5)
    };
    full.or_else(short).and_then(|index| i8::try_from(index + 1).ok())
}

/// The day said at `index`, if one is.
pub(crate) fn date(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    numeric(words, index, calendar)
        .or_else(|| relative(words, index, calendar))
        .or_else(|| ahead(words, index, calendar))
        .or_else(|| on_weekday(words, index, calendar))
        .or_else(|| in_month(words, index, calendar))
        .or_else(|| period(words, index, calendar))
        .or_else(|| day_of_month(words, index, calendar))
        .or_else(|| {
            let (date, length) = holiday(words, index, calendar.today)?;
            Some((Spoken::Days(Days::one(date)), length))
        })
}

/// "2026-03-10", "10/3", "10/03/2026", "10.3.2026".
fn numeric(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    let word = words.at(index);
    let parts = |sign: char| -> Vec<i16> { word.split(sign).filter_map(|part| part.parse().ok()).collect() };
    let date = match (parts('-').as_slice(), parts('/').as_slice(), parts('.').as_slice()) {
        ([year, month, day], ..) => {
            Date::new(*year, i8::try_from(*month).ok()?, i8::try_from(*day).ok()?).ok()
        }
        (_, [first, second, rest @ ..], _) | (_, _, [first, second, rest @ ..])
            if rest.len() == 1 || word.contains('/') =>
        {
            let day_first = (calendar.day_first || *first > 12) && *second <= 12;
            let (day, month) = if day_first { (*first, *second) } else { (*second, *first) };
            let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
            match rest.first() {
                Some(year) => Date::new(if *year < 100 { 2000 + *year } else { *year }, month, day).ok(),
                None => calendar.next(month, day),
            }
        }
        _ => None,
    }?;
    Some((calendar.judged(date), 1))
}

fn relative(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    const SOONEST: [&str; 15] = [
        "as soon as possible",
        "as soon as you can",
        "as early as possible",
        "asap",
        "soonest",
        "right now",
        "straight away",
        "right away",
        "next available",
        "first available",
        "earliest available",
        "earliest possible",
        "earliest appointment",
        "the soonest",
        "next free",
    ];
    if let Some(length) = SOONEST.iter().find_map(|phrase| words.starts(index, phrase)) {
        return Some((Spoken::Soonest, length));
    }
    let days_ahead: [(&str, i64); 9] = [
        ("day after tomorrow", 2),
        ("day before yesterday", -2),
        ("tomorrow week", 8),
        ("today week", 7),
        ("tomorrow", 1),
        ("today", 0),
        ("tonight", 0),
        ("yesterday", -1),
        ("later on today", 0),
    ];
    let this_part = words.any(index + 1, &["morning", "afternoon", "evening"]);
    if words.at(index) == "this" && this_part {
        return Some((Spoken::Days(Days::one(calendar.today)), 1));
    }
    days_ahead.iter().find_map(|(phrase, days)| {
        let length = words.starts(index, phrase)?;
        Some((calendar.judged(calendar.plus(calendar.today, *days)), length))
    })
}

/// "in two weeks", "three days from now", "a week on tuesday", "two weeks from thursday", "a fortnight today".
fn ahead(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    let led = usize::from(words.any(index, &["in", "within"]));
    let (count, mut length) = match words.at(index + led) {
        "fortnight" => (1, 0),
        _ => cardinal(words, index + led)?,
    };
    length += led;
    let unit = words.at(index + length);
    let days = match unit {
        "day" | "days" => i64::from(count),
        "week" | "weeks" => 7 * i64::from(count),
        "fortnight" | "fortnights" => 14 * i64::from(count),
        "month" | "months" => 0,
        _ => return None,
    };
    length += 1;
    let target = |from: Date| {
        let months = i64::from(count.min(120));
        if days == 0 {
            from.checked_add(months.months()).unwrap_or(from)
        } else {
            calendar.plus(from, days.min(3_650))
        }
    };
    let linked = words.any(index + length, &["from", "on", "after"]);
    let at = index + length + usize::from(linked);
    let (base, base_length) = match words.at(at) {
        "today" => (calendar.today, 1),
        "now" if linked => (calendar.today, 1),
        "tomorrow" => (calendar.plus(calendar.today, 1), 1),
        word => match weekday(word) {
            Some(weekday) => (calendar.coming(weekday), 1),
            None if linked => match in_month(words, at, calendar) {
                Some((Spoken::Days(Days { from, .. }), length)) => (from, length),
                _ => return None,
            },
            None => {
                let closed = words.any(index + length, &["time", "ahead", "away"]);
                if words.at(index + led) == "a" && count == 3 && led == 1 {
                    let (from, until) = (calendar.plus(calendar.today, 2), calendar.plus(calendar.today, 5));
                    return (days == 3).then_some((
                        Spoken::Days(Days { from, until, weekly: false }),
                        length + usize::from(closed),
                    ));
                }
                let said = led == 1 || closed;
                return said.then(|| (calendar.judged(target(calendar.today)), length + usize::from(closed)));
            }
        },
    };
    Some((calendar.judged(target(base)), length + usize::from(linked) + base_length))
}

fn on_weekday(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    let word = words.at(index);
    let (skip, modifier) = match word {
        "next" | "this" | "coming" | "last" => (1, word),
        _ => (0, ""),
    };
    let skip = skip + usize::from(modifier == "this" && words.at(index + 1) == "coming");
    let weekday = weekday(words.at(index + skip))?;
    let mut length = skip + 1;
    let coming = calendar.coming(weekday);
    let in_next_week = calendar.plus(calendar.monday(), 7 + i64::from(weekday.to_monday_zero_offset()));
    // "tuesday the third", "tuesday march third"
    let gap = usize::from(words.any(index + length, &["the", "on"]));
    if let Some((spoken, taken)) = in_month(words, index + length, calendar) {
        return Some((spoken, length + taken));
    }
    if let Some((day, taken)) =
        ordinal(words, index + length + gap).filter(|_| gap == 1 || modifier.is_empty())
    {
        let day = i8::try_from(day).ok()?;
        let next = (0..24)
            .filter_map(|months| calendar.today.first_of_month().checked_add(months.months()).ok())
            .filter_map(|first| Date::new(first.year(), first.month(), day).ok())
            .find(|date| *date >= calendar.today && date.weekday() == weekday);
        if let Some(date) = next {
            return Some((Spoken::Days(Days::one(date)), length + gap + taken));
        }
    }
    let date = match (modifier, words.at(index + length), words.at(index + length + 1)) {
        ("last", ..) => return Some((Spoken::Past(calendar.plus(coming, -7)), length)),
        (_, "week", _) => {
            length += 1;
            calendar.plus(coming, 7)
        }
        (_, "fortnight", _) => {
            length += 1;
            calendar.plus(coming, 14)
        }
        (_, "after", "next") => {
            length += 2;
            calendar.plus(coming, 7)
        }
        (_, "next", "week") => {
            length += 2;
            in_next_week
        }
        (_, "of", "next") if words.at(index + length + 2) == "week" => {
            length += 3;
            in_next_week
        }
        ("next", ..) => in_next_week,
        _ => {
            return Some((
                Spoken::Days(Days { from: coming, until: coming, weekly: modifier.is_empty() }),
                length,
            ));
        }
    };
    Some((Spoken::Days(Days::one(date)), length))
}

/// "the third of march", "march the third", "3 march 2027".
fn in_month(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    let the = |at: usize| usize::from(words.at(at) == "the");
    let mut length = the(index);
    let (day, named) = if let Some(named) = month(words.at(index + length)) {
        length += 1;
        length += the(index + length);
        let at = index + length;
        let (day, taken) = ordinal(words, at).or_else(|| {
            let timed = |length: usize| words.any(at + length, &["oclock", "pm", "am"]);
            small(words, at).filter(|(value, length)| (1..=31).contains(value) && !timed(*length))
        })?;
        length += taken;
        (day, named)
    } else {
        let at = index + length;
        let (day, taken) =
            ordinal(words, at).or_else(|| small(words, at).filter(|(value, _)| (1..=31).contains(value)))?;
        length += taken;
        length += usize::from(words.at(index + length) == "of");
        let named = match (words.at(index + length), words.at(index + length + 1)) {
            ("next" | "this" | "the", "month") => {
                let ahead = i64::from(words.at(index + length) == "next");
                let first = calendar.today.first_of_month().checked_add(ahead.months()).ok()?;
                let date = Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok()?;
                return Some((calendar.judged(date), length + 2));
            }
            (word, _) => month(word)?,
        };
        length += 1;
        (day, named)
    };
    let day = i8::try_from(day).ok()?;
    if let Some((year, taken)) = year(words, index + length) {
        return Date::new(year, named, day).ok().map(|date| (calendar.judged(date), length + taken));
    }
    calendar.next(named, day).map(|date| (Spoken::Days(Days::one(date)), length))
}

/// "2027", "twenty twenty seven", "two thousand and twenty seven".
fn year(words: &Words, index: usize) -> Found<i16> {
    let fits = |value: u32| i16::try_from(value).ok().filter(|year| (2000..=2100).contains(year));
    if let (20, 1) = small(words, index)?
        && let Some((rest, taken)) = small(words, index + 1).filter(|(rest, _)| (20..=99).contains(rest))
    {
        return fits(2_000 + rest).map(|year| (year, 1 + taken));
    }
    cardinal(words, index).and_then(|(value, taken)| Some((fits(value)?, taken)))
}

/// "the twenty first" without a month: the next one.
fn day_of_month(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    const NOT_A_DAY: [&str; 18] = [
        "one",
        "available",
        "slot",
        "appointment",
        "option",
        "time",
        "thing",
        "name",
        "floor",
        "person",
        "day",
        "of",
        "choice",
        "digit",
        "class",
        "two",
        "three",
        "few",
    ];
    if !words.any(index, &["the", "on"]) {
        return None;
    }
    let gap = 1 + usize::from(words.at(index) == "on" && words.at(index + 1) == "the");
    let (day, taken) = ordinal(words, index + gap)?;
    if NOT_A_DAY.contains(&words.at(index + gap + taken)) {
        return None;
    }
    let day = i8::try_from(day).ok()?;
    let date = (0..14)
        .filter_map(|months| calendar.today.first_of_month().checked_add(months.months()).ok())
        .filter_map(|first| Date::new(first.year(), first.month(), day).ok())
        .find(|date| *date >= calendar.today)?;
    Some((Spoken::Days(Days::one(date)), gap + taken))
}

/// "this weekend", "next week", "next week on tuesday", "in march", "the end of the month".
fn period(words: &Words, index: usize, calendar: &Calendar) -> Found<Spoken> {
    let days = |from: Date, until: Date, length: usize| {
        Some((Spoken::Days(Days { from: from.max(calendar.today), until, weekly: false }), length))
    };
    let starts = |phrase: &str| words.starts(index, phrase);
    let weekend = |ahead: i64| {
        let saturday = calendar.plus(calendar.monday(), 5 + 7 * ahead);
        (saturday, calendar.plus(saturday, 1))
    };
    if let Some(length) = starts("next weekend") {
        let (from, until) = weekend(1);
        return days(from, until, length);
    }
    if let Some(length) = ["this weekend", "the weekend", "weekend"].iter().find_map(|phrase| starts(phrase))
    {
        let (from, until) = weekend(0);
        return days(from, until, length);
    }
    let weeks: [(&str, i64); 7] = [
        ("week after next", 2),
        ("the week after next", 2),
        ("following week", 1),
        ("later this week", 0),
        ("this week", 0),
        ("next week", 1),
        ("week after", 1),
    ];
    if let Some((length, ahead)) = weeks.iter().find_map(|(phrase, ahead)| Some((starts(phrase)?, *ahead))) {
        let week = calendar.week(ahead);
        let gap = usize::from(words.at(index + length) == "on");
        if let Some(weekday) = weekday(words.at(index + length + gap)) {
            let monday = calendar.plus(calendar.monday(), 7 * ahead);
            let date = calendar.plus(monday, i64::from(weekday.to_monday_zero_offset()));
            return Some((calendar.judged(date), length + gap + 1));
        }
        let early =
            words.before(index, 1) == "early" || words.text(index.saturating_sub(2), index) == "beginning of";
        let late = words.before(index, 1) == "late" || words.text(index.saturating_sub(2), index) == "end of";
        return match (early, late) {
            (true, _) => days(week.from, calendar.plus(week.until, -4), length),
            (_, true) => days(calendar.plus(week.until, -4), week.until, length),
            _ => days(week.from, week.until, length),
        };
    }
    let first = calendar.today.first_of_month();
    if let Some((length, ahead)) = [("this month", 0), ("next month", 1)]
        .iter()
        .find_map(|(phrase, ahead)| Some((starts(phrase)?, *ahead)))
    {
        let from = first.checked_add(i64::from(ahead).months()).ok()?;
        return days(from, from.last_of_month(), length);
    }
    if words.any(index, &["in", "during"])
        && let Some(month) = month(words.at(index + 1))
    {
        let year = calendar.today.year() + i16::from(month < calendar.today.month());
        let from = Date::new(year, month, 1).ok()?;
        return days(from, from.last_of_month(), 2);
    }
    None
}
