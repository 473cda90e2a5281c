//! What holds for every date, every time and every heap of words.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::world::{World, salon, span};
use crate::call::brain::Question;
use crate::call::brain::playbook::normalise::Words;
use crate::call::brain::playbook::parse::date::{Calendar, Days};
use crate::call::brain::playbook::parse::date_time::when;
use crate::call::brain::playbook::parse::time::{Clock, TimeOfDay};
use crate::call::brain::playbook::parse::{digits, email, name, spelling, yes_no};
use crate::call::brain::playbook::say::{self, Style};
use crate::call::brain::playbook::settings::Settings;
use crate::call::brain::playbook::wanted::{Settled, Wanted};
use crate::types::ToolCall;

fn any_day() -> impl Strategy<Value = Date> {
    (0_i64..2_500).prop_map(|days| date(2025, 1, 1).checked_add(days.days()).unwrap())
}

fn any_time() -> impl Strategy<Value = Time> {
    (0_i8..24, 0_i8..60).prop_map(|(hour, minute)| Time::constant(hour, minute, 0, 0))
}

fn any_style() -> impl Strategy<Value = Style> {
    prop_oneof![Just(Style::British), Just(Style::American)]
}

fn calendar(today: Date, style: Style) -> Calendar {
    Calendar { today, day_first: style == Style::British }
}

/// Words that callers use: what parsers stumble over.
#[rustfmt::skip]
const WORDS: [&str; 72] = [
    "tomorrow", "next", "tuesday", "week", "a", "from", "the", "twenty", "first", "third", "of", "march", "may", "at", "three", "half", "past", "quarter", "to", "pm", "in", "two", "weeks", "after", "before", "noon", "between", "and", "no", "yes", "not", "double", "oh", "plus", "hundred", "b", "as", "bravo", "with", "an", "e", "end", "my", "name", "is", "sam", "taylor", "book", "cancel", "move", "haircut", "anna", "colour", "appointment", "message", "for", "10/3", "31/02", "14:30", "99:99", "2026-02-30", "25", "@", "a@b.cc", "dot", "o'", "'", "é", "last", "digits", "it", "open",
];

/// Words that callers use, in any order.
fn any_words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..14).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn every_day_spoken_is_read_back(today in any_day(), ahead in 0_i64..700, style in any_style()) {
        let day = today.checked_add(ahead.days()).unwrap();
        for spoken in [say::date::full(day, today, style), say::date::near(day, today, style), say::date::certain(day, today, style)] {
            let found = when(&Words::of(&spoken), &calendar(today, style), today.at(9, 0, 0, 0), false);
            prop_assert!(!found.days.is_empty(), "{spoken}");
            prop_assert!(found.days.iter().all(|days| days.single() == Some(day)), "{spoken}: {:?}", found.days);
        }
    }

    #[test]
    fn every_time_spoken_is_read_back(time in any_time(), style in any_style()) {
        let today = date(2026, 3, 10);
        let spoken = say::time::full(time, style);
        let found = when(&Words::of(&spoken), &calendar(today, style), today.at(9, 0, 0, 0), false);
        prop_assert_eq!(&found.times, &vec![TimeOfDay::At(Clock::sure(time))], "{}", spoken);
        let spoken = say::time::short(time, style);
        let found = when(&Words::of(&spoken), &calendar(today, style), today.at(9, 0, 0, 0), true);
        let read = matches!(found.times.as_slice(), [TimeOfDay::At(clock)] if clock.readings().contains(&time));
        prop_assert!(read, "{spoken}: {:?}", found.times);
    }

    #[test]
    fn every_moment_confirmed_is_read_back(today in any_day(), ahead in 0_i64..200, time in any_time(), style in any_style()) {
        let start = today.checked_add(ahead.days()).unwrap().to_datetime(time);
        let spoken = say::slots::certain(start, today.at(0, 0, 0, 0), style);
        let found = when(&Words::of(&spoken), &calendar(today, style), today.at(9, 0, 0, 0), false);
        prop_assert!(found.days.iter().all(|days| days.single() == Some(start.date())), "{spoken}: {:?}", found.days);
        prop_assert_eq!(&found.times, &vec![TimeOfDay::At(Clock::sure(time))], "{}", spoken);
    }

    #[test]
    fn parsers_take_anything(text in prop_oneof![any_words(), any::<String>()], today in any_day()) {
        let words = Words::of(&text);
        let found = when(&words, &calendar(today, Style::British), today.at(9, 0, 0, 0), true);
        for span in &found.spans {
            prop_assert!(span.start < span.end && span.end <= words.len(), "{text}: {:?}", found);
        }
        for days in &found.days {
            prop_assert!(today <= days.until && days.from <= days.until, "{text}: {:?}", found.days);
        }
        let _ = (yes_no::answer(&words), digits::longest(&words, 1), digits::correction(&words));
        let _ = (spelling::longest(&words), spelling::edit(&words), email::find(&words));
        let _ = name::find(&words, true, &|_| false);
        if let Some(edit) = spelling::edit(&words) {
            let _ = spelling::apply("sam tailor", &edit);
        }
        if let Some(correction) = digits::correction(&words) {
            let _ = digits::correct("+447700900123", &correction);
        }
    }

    #[test]
    fn a_search_stays_within_the_wish(today in any_day(), ahead in 0_i64..120, from in any_time(), until in any_time(), kind in 0_u8..6, now in any_time()) {
        let day = today.checked_add(ahead.days()).unwrap();
        let (from, until) = (Clock::sure(from), Clock::sure(until));
        let times = match kind {
            0 => vec![],
            1 => vec![TimeOfDay::At(from)],
            2 => vec![TimeOfDay::Around(from)],
            3 => vec![TimeOfDay::After(from)],
            4 => vec![TimeOfDay::Before(until)],
            _ => vec![TimeOfDay::Between(from, until)],
        };
        let wanted = Wanted { days: vec![Days::one(day)], times, soonest: false };
        let business = salon();
        let zone = TimeZone::get("Europe/London").unwrap();
        let now = today.to_datetime(now);
        let limit = today.checked_add(91.days()).unwrap();
        for search in wanted.searches(&business, now, &zone, &Settings::default()) {
            prop_assert!(search.window.from < search.window.until);
            let (first, last) = (zone.to_datetime(search.window.from), zone.to_datetime(search.window.until));
            prop_assert!(last.date() <= limit, "beyond what can be booked");
            if search.asked {
                prop_assert!(first.date() == day, "{first} is not on {day}");
                prop_assert!(wanted.fits(first) || first.time() < Time::constant(3, 0, 0, 0), "{first} is outside {wanted:?}");
            }
        }
    }

    #[test]
    fn any_caller_is_answered(lines in prop::collection::vec(any_words(), 1..12), keys in "[0-9*#]{0,12}") {
        let mut world = World::new();
        world.with_booking("mens", "ben", "2026-11-27T15:00", "Sam Taylor", "+447700900123");
        world.ask(Question::Greeting);
        for line in lines {
            world.say(&line);
        }
        world.ask(Question::Digits(keys.as_str().into()));
        world.ask(Question::NotUnderstood);
        world.ask(Question::Silence { times: 1 });
        prop_assert!(!world.summary().is_empty());
        // Whatever was asked of the calendar lies ahead.
        for call in &world.calls {
            if let ToolCall::Book { slot, .. } | ToolCall::Move { to: slot, .. } = call {
                prop_assert!(slot.start >= world.now.timestamp());
            }
        }
    }
}

fn wanted_at(day: Date, hour: i8, minute: i8) -> Wanted {
    let clock = Clock::sure(Time::constant(hour, minute, 0, 0));
    Wanted { days: vec![Days::one(day)], times: vec![TimeOfDay::At(clock)], soonest: false }
}

/// The first search for a time on a day, in local time, with the hours since midnight UTC before it.
fn first_search(wanted: &Wanted, zone: &str, now: DateTime) -> String {
    let mut business = salon();
    for spans in business.hours.week.values_mut() {
        *spans = vec![span(0, 0)];
    }
    business.hours.week.insert(crate::types::DayOfWeek::Monday, vec![span(0, 0)]);
    business.hours.week.insert(crate::types::DayOfWeek::Sunday, vec![span(0, 0)]);
    let zone = TimeZone::get(zone).unwrap();
    let searches = wanted.searches(&business, now, &zone, &Settings::default());
    searches[0].window.from.to_zoned(zone).to_string()
}

#[test]
fn clocks_that_change_are_met_with_care() {
    let before = date(2026, 3, 28).at(12, 0, 0, 0);
    for (day, hour, minute, zone, expected) in [
        // The day after the change, and hours after it, keep their local time.
        (date(2026, 3, 30), 15, 0, "Europe/London", "2026-03-30T15:00:00+01:00[Europe/London]"),
        (date(2026, 3, 29), 15, 0, "Europe/London", "2026-03-29T15:00:00+01:00[Europe/London]"),
        // A time that the clocks skip is an hour later.
        (date(2026, 3, 29), 1, 30, "Europe/London", "2026-03-29T02:30:00+01:00[Europe/London]"),
    ] {
        assert_eq!(first_search(&wanted_at(day, hour, minute), zone, before), expected);
    }
    // A time that comes twice is the first of the two.
    let autumn = date(2026, 10, 24).at(12, 0, 0, 0);
    let twice = first_search(&wanted_at(date(2026, 10, 25), 1, 30), "Europe/London", autumn);
    assert_eq!(twice, "2026-10-25T01:30:00+01:00[Europe/London]");
    let american = first_search(&wanted_at(date(2026, 11, 1), 1, 30), "America/New_York", autumn);
    assert_eq!(american, "2026-11-01T01:30:00-04:00[America/New_York]");
}

#[test]
fn the_half_of_the_day_is_settled_by_opening_hours() {
    let hours = salon().hours;
    let now = date(2026, 11, 25).at(10, 0, 0, 0);
    let settled = |hour: i8, day: Date| {
        let clock = Clock { time: Time::constant(hour % 12, 0, 0, 0), either: true };
        let mut wanted =
            Wanted { days: vec![Days::one(day)], times: vec![TimeOfDay::At(clock)], soonest: false };
        (wanted.settle(&hours, now), wanted.times[0])
    };
    let friday = date(2026, 11, 27);
    for (said, meant) in [(3, 15), (9, 9), (11, 11), (12, 12), (5, 17), (7, 7), (6, 18)] {
        let sure = TimeOfDay::At(Clock::sure(Time::constant(meant, 0, 0, 0)));
        assert_eq!(settled(said, friday), (Settled::Ready, sure), "{said}");
    }
    let mut late = salon().hours;
    late.week.insert(crate::types::DayOfWeek::Friday, vec![span(7, 22)]);
    let clock = Clock { time: Time::constant(8, 0, 0, 0), either: true };
    let mut wanted =
        Wanted { days: vec![Days::one(friday)], times: vec![TimeOfDay::At(clock)], soonest: false };
    assert_eq!(wanted.settle(&late, now), Settled::AskHalf(Time::constant(8, 0, 0, 0)));
    wanted.choose_half(true);
    assert_eq!(wanted.settle(&late, now), Settled::Ready);
    // "Wednesday at nine", said on a Wednesday at ten, is next week's.
    let today = Days { from: now.date(), until: now.date(), weekly: true };
    let nine = TimeOfDay::At(Clock::sure(Time::constant(9, 0, 0, 0)));
    let mut wanted = Wanted { days: vec![today], times: vec![nine], soonest: false };
    assert_eq!(wanted.settle(&hours, now), Settled::Ready);
    assert_eq!(wanted.day(), Some(date(2026, 12, 2)));
}
