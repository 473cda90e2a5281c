//! Times of day: "half past two", "three pm", "around four ish", "after five", "before lunch", "14:30".

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::Found;
use super::number::{small, unit};
use crate::call::brain::playbook::normalise::Words;

/// One moment of a day. "Three" alone is `either`: its time is the one before noon, the other is 12 hours later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) time: Time,
    pub(crate) either: bool,
}

/// A time of day as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum TimeOfDay {
    At(Clock),
    Around(Clock),
    /// From then on.
    After(Clock),
    /// Starting before then.
    Before(Clock),
    /// From the first, starting before the second.
    Between(Clock, Clock),
    /// A part of the day by name, such as the morning.
    Part(Part),
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Morning,
    Lunchtime,
    Afternoon,
    Evening,
    EarlyMorning,
    LateMorning,
    EarlyAfternoon,
    LateAfternoon,
}

impl Part {
    /// From, and until, not included.
    pub(crate) fn span(self) -> (Time, Time) {
        let (from, until) = match self {
            Self::Morning => (5, 12),
            Self::Lunchtime => (12, 14),
            Self::Afternoon => (12, 18),
            Self::Evening => (17, 23),
            Self::EarlyMorning => (5, 10),
            Self::LateMorning => (10, 12),
            Self::EarlyAfternoon => (12, 15),
            Self::LateAfternoon => (15, 18),
        };
        (Time::constant(from, 0, 0, 0), Time::constant(until, 0, 0, 0))
    }

    /// As spoken after "in the" or "on Tuesday".
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Morning | Self::EarlyMorning | Self::LateMorning => "morning",
            Self::Lunchtime => "lunchtime",
            Self::Afternoon | Self::EarlyAfternoon | Self::LateAfternoon => "afternoon",
            Self::Evening => "evening",
        }
    }
}

impl Clock {
    fn minutes(minutes: u32, either: bool) -> Option<Self> {
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        Time::new(hour, minute, 0, 0).ok().map(|time| Self { time, either })
    }

    /// An hour as said: 1 to 12 could be either half of the day.
    fn said(hour: u32, minute: u32) -> Option<Self> {
        match hour {
            1..=12 => Self::minutes((hour % 12) * 60 + minute, true),
            0 | 13..=23 => Self::minutes(hour * 60 + minute, false),
            _ => None,
        }
    }

    pub(crate) const fn sure(time: Time) -> Self {
        Self { time, either: false }
    }

    /// The times it could mean.
    pub(crate) fn readings(self) -> Vec<Time> {
        let later = Time::new(self.time.hour() + 12, self.time.minute(), 0, 0);
        match later {
            Ok(later) if self.either => vec![self.time, later],
            _ => vec![self.time],
        }
    }

    /// The reading in this half of the day.
    pub(crate) fn in_half(self, afternoon: bool) -> Self {
        let readings = self.readings();
        let chosen = if afternoon { readings.last() } else { readings.first() };
        Self::sure(chosen.copied().unwrap_or(self.time))
    }

    /// The reading that falls into `[from, until)`, where only one does.
    pub(crate) fn within(self, from: Time, until: Time) -> Self {
        let fitting: Vec<Time> =
            self.readings().into_iter().filter(|time| from <= *time && *time < until).collect();
        match fitting.as_slice() {
            [only] => Self::sure(*only),
            _ => self,
        }
    }
}

/// The time of day said at `index`. With `bare`, a number alone is a time, too.
pub(crate) fn time(words: &Words, index: usize, bare: bool) -> Found<TimeOfDay> {
    named(words, index).or_else(|| qualified(words, index)).or_else(|| range(words, index)).or_else(|| {
        let lead = usize::from(words.any(index, &["at", "for", "to", "by", "it", "say", "maybe"]));
        let anchored = bare
            || lead == 1 && (words.at(index) != "for" && words.at(index) != "it" || is_make_it(words, index));
        let (clock, length) = clock(words, index + lead, anchored)?;
        let end = index + lead + length;
        if words.at(index) == "by" {
            return Some((TimeOfDay::Before(clock), lead + length));
        }
        Some(match (words.at(end), words.at(end + 1)) {
            ("ish", _) => (TimeOfDay::Around(clock), lead + length + 1),
            ("or", "so") | ("or", "thereabouts") => (TimeOfDay::Around(clock), lead + length + 2),
            ("or", "later" | "after") | ("and", "later") => (TimeOfDay::After(clock), lead + length + 2),
            ("or", "earlier" | "before") => (TimeOfDay::Before(clock), lead + length + 2),
            ("onwards" | "onward", _) => (TimeOfDay::After(clock), lead + length + 1),
            _ => (TimeOfDay::At(clock), lead + length),
        })
    })
}

fn is_make_it(words: &Words, index: usize) -> bool {
    words.at(index) == "it" && words.before(index, 1) == "make"
}

/// Parts of the day, and moments with names of their own.
fn named(words: &Words, index: usize) -> Found<TimeOfDay> {
    let hour = |hour: i8, minute: i8| Clock::sure(Time::constant(hour, minute, 0, 0));
    let phrases: [(&str, TimeOfDay); 27] = [
        ("first thing", TimeOfDay::Part(Part::EarlyMorning)),
        ("early morning", TimeOfDay::Part(Part::EarlyMorning)),
        ("early in the morning", TimeOfDay::Part(Part::EarlyMorning)),
        ("late morning", TimeOfDay::Part(Part::LateMorning)),
        ("mid morning", TimeOfDay::Part(Part::LateMorning)),
        ("early afternoon", TimeOfDay::Part(Part::EarlyAfternoon)),
        ("late afternoon", TimeOfDay::Part(Part::LateAfternoon)),
        ("mid afternoon", TimeOfDay::Part(Part::LateAfternoon)),
        ("before lunch", TimeOfDay::Before(hour(12, 0))),
        ("after lunch", TimeOfDay::After(hour(13, 0))),
        ("before work", TimeOfDay::Before(hour(9, 0))),
        ("after work", TimeOfDay::After(hour(17, 0))),
        ("after school", TimeOfDay::After(hour(15, 30))),
        ("end of the day", TimeOfDay::After(hour(16, 0))),
        ("end of day", TimeOfDay::After(hour(16, 0))),
        ("last thing", TimeOfDay::After(hour(16, 0))),
        ("lunchtime", TimeOfDay::Part(Part::Lunchtime)),
        ("lunch time", TimeOfDay::Part(Part::Lunchtime)),
        ("over lunch", TimeOfDay::Part(Part::Lunchtime)),
        ("at lunch", TimeOfDay::Part(Part::Lunchtime)),
        ("mornings", TimeOfDay::Part(Part::Morning)),
        ("afternoons", TimeOfDay::Part(Part::Afternoon)),
        ("evenings", TimeOfDay::Part(Part::Evening)),
        ("tonight", TimeOfDay::Part(Part::Evening)),
        ("tomorrow night", TimeOfDay::Part(Part::Evening)),
        ("later than", TimeOfDay::Part(Part::Evening)),
        ("any time of day", TimeOfDay::Between(hour(0, 0), hour(23, 59))),
    ];
    if let Some((length, found)) = phrases
        .iter()
        .filter(|(phrase, _)| *phrase != "later than")
        .find_map(|(phrase, found)| Some((words.starts(index, phrase)?, *found)))
    {
        // "first thing in the morning" is one phrase.
        let tail = words.starts(index + length, "in the morning").unwrap_or(0);
        return Some((found, length + tail));
    }
    let part = match words.at(index) {
        "morning" => Part::Morning,
        "afternoon" => Part::Afternoon,
        "evening" => Part::Evening,
        _ => return None,
    };
    (!matches!(words.before(index, 1), "good" | "before" | "after")).then_some((TimeOfDay::Part(part), 1))
}

/// "after five", "any time before eleven", "around three", "no later than four".
fn qualified(words: &Words, index: usize) -> Found<TimeOfDay> {
    enum Sense {
        After,
        Before,
        Around,
    }
    let phrases = [
        ("no later than", Sense::Before),
        ("not later than", Sense::Before),
        ("no earlier than", Sense::After),
        ("not before", Sense::After),
        ("earlier than", Sense::Before),
        ("later than", Sense::After),
        ("before", Sense::Before),
        ("until", Sense::Before),
        ("after", Sense::After),
        ("past", Sense::After),
        ("from", Sense::After),
        ("around about", Sense::Around),
        ("around", Sense::Around),
        ("about", Sense::Around),
        ("roughly", Sense::Around),
        ("approximately", Sense::Around),
        ("close to", Sense::Around),
    ];
    let (sense, led) =
        phrases.iter().find_map(|(phrase, sense)| Some((sense, words.starts(index, phrase)?)))?;
    if matches!(sense, Sense::After) && words.at(index) == "from" && range(words, index).is_some() {
        return None;
    }
    let (clock, length) = clock(words, index + led, true)?;
    let mut length = led + length;
    length += usize::from(words.any(index + length, &["ish", "onwards", "onward"]));
    Some((
        match sense {
            Sense::After => TimeOfDay::After(clock),
            Sense::Before => TimeOfDay::Before(clock),
            Sense::Around => TimeOfDay::Around(clock),
        },
        length,
    ))
}

/// "between two and four", "from ten to twelve".
fn range(words: &Words, index: usize) -> Found<TimeOfDay> {
    let opener = words.at(index);
    if !matches!(opener, "between" | "from") {
        return None;
    }
    // "from ten to twelve" is no ten minutes to twelve.
    let hour = || written(words, index + 1, true).or_else(|| hour_and_minute(words, index + 1, true));
    let (mut from, first) = match opener {
        "from" if words.any(index + 2, &["to", "till"]) => {
            number_before_to(words, index + 1).or_else(hour)?
        }
        _ => clock(words, index + 1, true)?,
    };
    let link = index + 1 + first;
    let linked = match opener {
        "between" => words.any(link, &["and"]),
        _ => words.any(link, &["to", "till", "until"]),
    };
    let (until, second) = clock(words, link + 1, true).filter(|_| linked)?;
    // "between two and four in the afternoon" speaks of both.
    if from.either && !until.either {
        from = from.within(Time::constant(until.time.hour() / 12 * 12, 0, 0, 0), until.time);
    }
    Some((TimeOfDay::Between(from, until), 2 + first + second))
}

/// The hour in "ten to twelve", where it is the start of a span.
fn number_before_to(words: &Words, index: usize) -> Found<Clock> {
    let (hour, length) = hour_word(words, index)?;
    Clock::said(hour, 0).map(|clock| (clock, length))
}

/// A moment with its half of the day, where said.
fn clock(words: &Words, index: usize, anchored: bool) -> Found<Clock> {
    let (clock, length) = moment(words, index, anchored)?;
    let Some((afternoon, taken)) = half_of_day(words, index + length, clock) else {
        return Some((clock, length));
    };
    Some((if clock.either { clock.in_half(afternoon) } else { clock }, length + taken))
}

/// Which half of the day was said after a time.
fn half_of_day(words: &Words, index: usize, clock: Clock) -> Found<bool> {
    let night = clock.time.hour() >= 5;
    let phrases = [
        ("am", false),
        ("pm", true),
        ("in the morning", false),
        ("in the afternoon", true),
        ("in the evening", true),
        ("this morning", false),
        ("this afternoon", true),
        ("this evening", true),
        ("at night", night),
        ("tonight", night),
    ];
    phrases.iter().find_map(|(phrase, afternoon)| Some((*afternoon, words.starts(index, phrase)?)))
}

fn hour_word(words: &Words, index: usize) -> Found<u32> {
    small(words, index).filter(|(hour, _)| *hour <= 24)
}

/// A moment without its half of the day.
fn moment(words: &Words, index: usize, anchored: bool) -> Found<Clock> {
    match words.at(index) {
        "noon" | "midday" => return Clock::minutes(12 * 60, false).map(|clock| (clock, 1)),
        "midnight" => return Clock::minutes(0, false).map(|clock| (clock, 1)),
        "twelve" | "12" if words.any(index + 1, &["noon", "midday"]) => {
            return Clock::minutes(12 * 60, false).map(|clock| (clock, 2));
        }
        _ => {}
    }
    fraction(words, index)
        .or_else(|| written(words, index, anchored))
        .or_else(|| hour_and_minute(words, index, anchored))
}

/// "half past two", "quarter to four", "ten past three", "half two".
fn fraction(words: &Words, index: usize) -> Found<Clock> {
    let start = index + usize::from(words.at(index) == "a");
    let (minutes, mut length) = match words.at(start) {
        "half" => (30, 1),
        "quarter" => (15, 1),
        _ => small(words, start).filter(|(minutes, _)| (1..=29).contains(minutes))?,
    };
    length += usize::from(words.any(start + length, &["minutes", "minute"]));
    let before = match words.at(start + length) {
        "past" | "after" | "passed" => false,
        "to" | "til" | "till" | "before" | "of" if minutes < 30 => true,
        _ if minutes == 30 && words.at(start) == "half" => {
            let (hour, taken) =
                hour_word(words, start + length).filter(|(hour, _)| (1..=12).contains(hour))?;
            return Clock::said(hour, 30).map(|clock| (clock, start - index + length + taken));
        }
        _ => return None,
    };
    length += 1;
    let (hour, taken) = match words.at(start + length) {
        "noon" | "midday" => (12, 1),
        _ => hour_word(words, start + length).filter(|(hour, _)| (1..=12).contains(hour))?,
    };
    length += taken + usize::from(words.at(start + length + taken) == "oclock");
    let base = (hour % 12) * 60;
    let total = if before { (base + 12 * 60 - minutes) % (12 * 60) } else { base + minutes };
    Clock::minutes(total, true).map(|clock| (clock, start - index + length))
}

/// "14:30", "9.15", "0930".
fn written(words: &Words, index: usize, anchored: bool) -> Found<Clock> {
    let word = words.at(index);
    let (hour, minute) = match word.split_once([':', '.']) {
        Some(parts) => parts,
        None if anchored && word.len() == 4 && word.is_ascii() => word.split_at(2),
        None => return None,
    };
    if minute.len() != 2 || hour.is_empty() || hour.len() > 2 {
        return None;
    }
    let (hour_value, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    if minute > 59 || hour_value > 23 {
        return None;
    }
    if hour.starts_with('0') {
        return Clock::minutes(hour_value * 60 + minute, false).map(|clock| (clock, 1));
    }
    Clock::said(hour_value, minute).map(|clock| (clock, 1))
}

/// "three", "three oclock", "three thirty", "three oh five", "fourteen hundred".
fn hour_and_minute(words: &Words, index: usize, anchored: bool) -> Found<Clock> {
    const UNITS_OF_SOMETHING: [&str; 27] = [
        "week", "weeks", "day", "days", "month", "months", "year", "years", "people", "persons", "of",
        "minutes", "minute", "hour", "hours", "pounds", "dollars", "percent", "times", "kids", "children",
        "adults", "hundred", "thousand", "more", "double", "st",
    ];
    let leading_zero = usize::from(words.any(index, &["oh", "zero"]) && unit(words.at(index + 1)).is_some());
    let (hour, taken) = hour_word(words, index + leading_zero)?;
    let mut length = leading_zero + taken;
    let said = |minute: u32| {
        if leading_zero == 1 { Clock::minutes(hour * 60 + minute, false) } else { Clock::said(hour, minute) }
    };
    if words.at(index + length) == "oclock" {
        return said(0).map(|clock| (clock, length + 1));
    }
    if words.at(index + length) == "hundred" && (leading_zero == 1 || hour >= 10) {
        length += 1 + usize::from(words.at(index + length + 1) == "hours");
        return Clock::minutes(hour * 60, false).map(|clock| (clock, length));
    }
    let at = index + length;
    let minute = match words.at(at) {
        "oh" | "o" | "zero" => {
            unit(words.at(at + 1)).filter(|minute| (1..=9).contains(minute)).map(|minute| (minute, 2))
        }
        _ => small(words, at).filter(|(minute, _)| (10..=59).contains(minute)),
    };
    let more_digits = |end: usize| small(words, end).is_some() || words.at(end) == "oh";
    if let Some((minute, taken)) = minute
        && (anchored
            || minute % 5 == 0
            || half_of_day(words, at + taken, Clock::sure(Time::midnight())).is_some())
        && !more_digits(at + taken)
        && !UNITS_OF_SOMETHING.contains(&words.at(at + taken))
        && hour > 0
    {
        return said(minute).map(|clock| (clock, length + taken));
    }
    let has_half = words.any(at, &["am", "pm", "ish"])
        || half_of_day(words, at, Clock::sure(Time::midnight())).is_some();
    // "this one", "the later one"
    const POINTERS: [&str; 15] = [
        "this",
        "that",
        "the",
        "which",
        "first",
        "last",
        "second",
        "another",
        "any",
        "later",
        "earlier",
        "early",
        "late",
        "morning",
        "afternoon",
    ];
    let pointed_at = hour == 1 && POINTERS.contains(&words.before(index, 1));
    let counted = UNITS_OF_SOMETHING.contains(&words.at(at)) || words.any(at, &["slash", "to"]);
    let alone = anchored && hour > 0 && !pointed_at && !counted && !more_digits(at);
    (has_half || alone).then(|| said(0)).flatten().map(|clock| (clock, length))
}
