use jiff::civil::{Time, date, datetime};

use super::*;
use crate::call::brain::playbook::parse::time::Part;

/// The calls of these tables come on Sunday, 22 November 2026, at ten.
fn read(text: &str, bare: bool) -> When {
    let calendar = Calendar { today: date(2026, 11, 22), day_first: true };
    when(&Words::of(text), &calendar, datetime(2026, 11, 22, 10, 1, 0, 0), bare)
}

#[test]
fn days_are_read() {
    for (text, month, day) in [
        ("tomorrow", 11, 23),
        ("the day after tomorrow", 11, 24),
        ("tuesday", 11, 24),
        ("this tuesday", 11, 24),
        ("next tuesday", 11, 24),
        ("tuesday week", 12, 1),
        ("a week on tuesday", 12, 1),
        ("a week from thursday", 12, 3),
        ("two weeks from thursday", 12, 10),
        ("a week tomorrow", 11, 30),
        ("in two weeks", 12, 6),
        ("in a fortnight", 12, 6),
        ("in three days", 11, 25),
        ("a week from today", 11, 29),
        ("three days from now", 11, 25),
        ("in two weeks time", 12, 6),
        ("on the twenty first", 12, 21),
        ("the 25th please", 11, 25),
        ("march third", 3, 3),
        ("the third of march", 3, 3),
        ("march the third", 3, 3),
        ("3 march", 3, 3),
        ("tuesday the first of december", 12, 1),
        ("tuesday the first", 12, 1),
        ("the fifth of next month", 12, 5),
        ("10/3", 3, 10),
        ("2026-12-24", 12, 24),
        ("christmas eve", 12, 24),
        ("next week on wednesday", 11, 25),
        ("wednesday next week", 11, 25),
        ("today", 11, 22),
        ("tuesday no wednesday", 11, 25),
        ("wednesday not tuesday", 11, 25),
        ("sunday", 11, 22),
    ] {
        let found = read(text, false);
        let days: Vec<Date> = found.days.iter().map(|days| days.from).collect();
        let year = if month == 3 { 2027 } else { 2026 };
        assert_eq!(days, [date(year, month, day)], "{text}");
        assert_eq!(found.days[0].single(), Some(days[0]), "{text}");
    }
}

#[test]
fn spans_of_days_are_read() {
    for (text, from, until) in [
        ("this weekend", date(2026, 11, 22), date(2026, 11, 22)),
        ("next weekend", date(2026, 11, 28), date(2026, 11, 29)),
        ("next week", date(2026, 11, 23), date(2026, 11, 29)),
        ("in january", date(2027, 1, 1), date(2027, 1, 31)),
        ("next month", date(2026, 12, 1), date(2026, 12, 31)),
        ("before friday", date(2026, 11, 22), date(2026, 11, 26)),
        ("by friday", date(2026, 11, 22), date(2026, 11, 27)),
        ("after tuesday", date(2026, 11, 25), date(2026, 12, 1)),
        ("between monday and wednesday", date(2026, 11, 23), date(2026, 11, 25)),
        ("early next week", date(2026, 11, 23), date(2026, 11, 25)),
    ] {
        let days = read(text, false).days;
        assert_eq!(days.len(), 1, "{text}: {days:?}");
        assert_eq!((days[0].from, days[0].until), (from, until), "{text}");
    }
    assert_eq!(read("monday or wednesday", false).days.len(), 2);
    assert!(read("as soon as possible", false).soonest);
    assert_eq!(read("yesterday", false).past, Some(date(2026, 11, 21)));
    assert_eq!(read("the third of march 2020", false).past, Some(date(2020, 3, 3)));
}

fn at(hour: i8, minute: i8) -> Clock {
    Clock { time: Time::constant(hour, minute, 0, 0), either: true }
}

fn sure(hour: i8, minute: i8) -> Clock {
    Clock::sure(Time::constant(hour, minute, 0, 0))
}

#[test]
fn times_are_read() {
    use TimeOfDay::{After, Around, At, Before, Between};
    for (text, expected) in [
        ("three pm", At(sure(15, 0))),
        ("at three", At(at(3, 0))),
        ("3pm", At(sure(15, 0))),
        ("3:30 pm", At(sure(15, 30))),
        ("14:30", At(sure(14, 30))),
        ("09:15", At(sure(9, 15))),
        ("half past two", At(at(2, 30))),
        ("half two", At(at(2, 30))),
        ("quarter to four", At(at(3, 45))),
        ("a quarter past ten in the morning", At(sure(10, 15))),
        ("ten past three", At(at(3, 10))),
        ("twenty to one in the afternoon", At(sure(12, 40))),
        ("three thirty", At(at(3, 30))),
        ("three oh five", At(at(3, 5))),
        ("three o'clock", At(at(3, 0))),
        ("noon", At(sure(12, 0))),
        ("twelve", At(at(0, 0))),
        ("fourteen hundred", At(sure(14, 0))),
        ("fourteen thirty", At(sure(14, 30))),
        ("around three ish", Around(at(3, 0))),
        ("three ish", Around(at(3, 0))),
        ("after five", After(at(5, 0))),
        ("any time before lunch", Before(sure(12, 0))),
        ("before eleven", Before(at(11, 0))),
        ("no later than four pm", Before(sure(16, 0))),
        ("between two and four", Between(at(2, 0), at(4, 0))),
        ("between two and four pm", Between(sure(14, 0), sure(16, 0))),
        ("from ten to twelve", Between(at(10, 0), at(0, 0))),
        ("four or later", After(at(4, 0))),
        ("tomorrow morning", TimeOfDay::Part(Part::Morning)),
        ("first thing in the morning", TimeOfDay::Part(Part::EarlyMorning)),
        ("tomorrow morning at nine", At(sure(9, 0))),
        ("in the afternoon around three", Around(sure(15, 0))),
        ("no three no four", At(at(4, 0))),
        ("in an hour", At(sure(11, 5))),
        ("eight tonight", At(sure(20, 0))),
        ("actually make it four", At(at(4, 0))),
        ("one", At(at(1, 0))),
    ] {
        assert_eq!(read(text, true).times, [expected], "{text}");
    }
    for text in ["good morning", "this one", "two people", "in two weeks", "banana", ""] {
        assert!(read(text, true).times.is_empty(), "{text}");
    }
    // Without having been asked, a number alone says nothing about time.
    for text in ["three", "for two", "room three", "oh two oh seven"] {
        assert!(read(text, false).times.is_empty(), "{text}");
    }
}

#[test]
fn american_callers_put_the_month_first() {
    let calendar = Calendar { today: date(2026, 11, 22), day_first: false };
    let found = when(&Words::of("12/3"), &calendar, datetime(2026, 11, 22, 10, 0, 0, 0), false);
    assert_eq!(found.days, [Days::one(date(2026, 12, 3))]);
}
