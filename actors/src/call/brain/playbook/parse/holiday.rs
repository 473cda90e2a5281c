//! Days that callers name by their feast.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::call::brain::playbook::normalise::Words;

type Rule = fn(i16) -> Option<Date>;

/// Longest names first, so that "christmas eve" is not taken for "christmas".
const HOLIDAYS: [(&str, Rule); 23] = [
    ("christmas eve", |year| Date::new(year, 12, 24).ok()),
    ("christmas day", |year| Date::new(year, 12, 25).ok()),
    ("boxing day", |year| Date::new(year, 12, 26).ok()),
    ("new years eve", |year| Date::new(year, 12, 31).ok()),
    ("new years day", |year| Date::new(year, 1, 1).ok()),
    ("new year's eve", |year| Date::new(year, 12, 31).ok()),
    ("new year's day", |year| Date::new(year, 1, 1).ok()),
    ("new year eve", |year| Date::new(year, 12, 31).ok()),
    ("good friday", |year| easter(year)?.checked_sub(2.days()).ok()),
    ("easter monday", |year| easter(year)?.checked_add(1.day()).ok()),
    ("easter sunday", easter),
    ("easter", easter),
    ("christmas", |year| Date::new(year, 12, 25).ok()),
    ("new years", |year| Date::new(year, 1, 1).ok()),
    ("independence day", |year| Date::new(year, 7, 4).ok()),
    ("thanksgiving", |year| Date::new(year, 11, 1).ok()?.nth_weekday_of_month(4, Weekday::Thursday).ok()),
    ("labor day", |year| Date::new(year, 9, 1).ok()?.nth_weekday_of_month(1, Weekday::Monday).ok()),
    ("memorial day", |year| Date::new(year, 5, 1).ok()?.nth_weekday_of_month(-1, Weekday::Monday).ok()),
    ("halloween", |year| Date::new(year, 10, 31).ok()),
    ("valentines day", |year| Date::new(year, 2, 14).ok()),
    ("valentines", |year| Date::new(year, 2, 14).ok()),
    ("saint patricks day", |year| Date::new(year, 3, 17).ok()),
    ("veterans day", |year| Date::new(year, 11, 11).ok()),
];

/// Easter Sunday in the Gregorian calendar (the anonymous algorithm of 1876).
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, rest) = (year_number / 100, year_number % 100);
    let (leap_centuries, century_rest) = (century / 4, century % 4);
    let correction = (century + 8) / 25;
    let moon = (century - correction + 1) / 3;
    let epact = (19 * golden + century - leap_centuries - moon + 15) % 30;
    let (leap, leap_rest) = (rest / 4, rest % 4);
    let weekday = (32 + 2 * century_rest + 2 * leap - epact - leap_rest) % 7;
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let sum = epact + weekday - 7 * shift + 114;
    Date::new(year, i8::try_from(sum / 31).ok()?, i8::try_from(sum % 31 + 1).ok()?).ok()
}

/// The holiday named at `index`: its next date on or after `today`, and how many words named it.
pub(crate) fn holiday(words: &Words, index: usize, today: Date) -> super::Found<Date> {
    let (rule, length) =
        HOLIDAYS.iter().find_map(|(name, rule)| words.starts(index, name).map(|length| (rule, length)))?;
    let next = [today.year(), today.year() + 1].into_iter().filter_map(rule).find(|date| *date >= today)?;
    Some((next, length))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn feasts_fall_on_their_days() {
        assert_eq!(easter(2026), Some(date(2026, 4, 5)));
        assert_eq!(easter(2027), Some(date(2027, 3, 28)));
        for (name, expected) in [
            ("christmas day", date(2026, 12, 25)),
            ("new year's day", date(2027, 1, 1)),
            ("thanksgiving", date(2026, 11, 26)),
            ("good friday", date(2027, 3, 26)),
        ] {
            assert_eq!(holiday(&Words::of(name), 0, date(2026, 11, 22)).map(|found| found.0), Some(expected));
        }
    }
}
