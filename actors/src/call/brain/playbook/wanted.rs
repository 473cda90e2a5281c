//! When a caller wants to come, settled against opening hours and the clock, and where to look for it.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::parse::date::Days;
use super::parse::date_time::When;
use super::parse::time::{Clock, TimeOfDay};
use super::settings::Settings;
use crate::types::{Business, Hours, Window};

/// The wish: any of these days at any of these times.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) days: Vec<Days>,
    pub(crate) times: Vec<TimeOfDay>,
    pub(crate) soonest: bool,
}

/// Whether a wish is plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Ready,
    /// It could be either half of the day, and the business is open in both.
    AskHalf(Time),
    /// That moment is over.
    Over,
}

/// One look into the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Search {
    pub(crate) window: Window,
    /// The nearest to this first; else the earliest.
    pub(crate) near: Option<Timestamp>,
    /// Within what was asked for; else an alternative, and said to be one.
    pub(crate) asked: bool,
}

fn map_clocks(time: TimeOfDay, change: &impl Fn(Clock) -> Clock) -> TimeOfDay {
    match time {
        TimeOfDay::At(clock) => TimeOfDay::At(change(clock)),
        TimeOfDay::Around(clock) => TimeOfDay::Around(change(clock)),
        TimeOfDay::After(clock) => TimeOfDay::After(change(clock)),
        TimeOfDay::Before(clock) => TimeOfDay::Before(change(clock)),
        TimeOfDay::Between(from, until) => TimeOfDay::Between(change(from), change(until)),
        TimeOfDay::Part(part) => TimeOfDay::Part(part),
    }
}

/// The minutes either side of "around three".
const AROUND_MINUTES: i64 = 45;

/// From, and until (not included), on one day.
fn span(time: TimeOfDay) -> (Time, Time) {
    let minute_after = |time: Time| time.saturating_add(1.minute());
    match time {
        TimeOfDay::At(clock) => (clock.time, minute_after(clock.time)),
        TimeOfDay::Around(clock) => (
            clock.time.saturating_sub(AROUND_MINUTES.minutes()),
            minute_after(clock.time.saturating_add(AROUND_MINUTES.minutes())),
        ),
        TimeOfDay::After(clock) => (clock.time, Time::MAX),
        TimeOfDay::Before(clock) => (Time::midnight(), clock.time),
        TimeOfDay::Between(from, until) => {
            (from.time, if until.time > from.time { until.time } else { Time::MAX })
        }
        TimeOfDay::Part(part) => part.span(),
    }
}

impl Wanted {
    pub(crate) fn is_empty(&self) -> bool {
        self.days.is_empty() && self.times.is_empty() && !self.soonest
    }

    /// Whether a search can start.
    pub(crate) fn has_day(&self) -> bool {
        self.soonest || !self.days.is_empty()
    }

    /// The only day wanted.
    pub(crate) fn day(&self) -> Option<Date> {
        match self.days.as_slice() {
            [days] => days.single(),
            _ => None,
        }
    }

    /// Takes in what was said. A time without a day is for `day`, the one that is being talked about.
    pub(crate) fn merge(&mut self, when: &When, day: Option<Date>) {
        if !when.days.is_empty() {
            self.days.clone_from(&when.days);
            self.soonest = false;
        } else if let Some(day) = day.filter(|_| !when.times.is_empty() && !when.soonest) {
            self.days = vec![Days::one(day)];
            self.soonest = false;
        }
        if !when.times.is_empty() {
            self.times.clone_from(&when.times);
        }
        if when.soonest {
            self.soonest = true;
            if when.days.is_empty() {
                self.days.clear();
            }
            if when.times.is_empty() {
                self.times.clear();
            }
        }
    }

    /// "In the afternoon": the answer to which half of the day.
    pub(crate) fn choose_half(&mut self, afternoon: bool) {
        for time in &mut self.times {
            *time = map_clocks(*time, &|clock| if clock.either { clock.in_half(afternoon) } else { clock });
        }
    }

    /// Settles halves of the day by opening hours, and bare weekdays by the clock.
    pub(crate) fn settle(&mut self, hours: &Hours, now: DateTime) -> Settled {
        let days = self.opening(hours, now.date());
        let mut ask = None;
        for time in &mut self.times {
            let qualified = !matches!(time, TimeOfDay::At(_) | TimeOfDay::Around(_));
            let change = |clock: Clock| settle_clock(clock, &days, qualified);
            *time = map_clocks(*time, &change);
            if let TimeOfDay::At(clock)
            | TimeOfDay::Around(clock)
            | TimeOfDay::After(clock)
            | TimeOfDay::Before(clock) = time
                && clock.either
            {
                ask = Some(clock.time);
            }
        }
        if let Some(time) = ask {
            return Settled::AskHalf(time);
        }
        self.roll_forward(hours, now);
        let over = self.day() == Some(now.date())
            && !self.times.is_empty()
            && self.times.iter().all(|time| span(*time).1 <= now.time());
        if over { Settled::Over } else { Settled::Ready }
    }

    /// The spans in which the business is open on the days wanted; on any day where none are said.
    fn opening(&self, hours: &Hours, today: Date) -> Vec<(Time, Time)> {
        let dates: Vec<Date> = self.days.iter().filter_map(Days::single).collect();
        let dates = if dates.is_empty() {
            (0..7).filter_map(|ahead| today.checked_add(i64::from(ahead).days()).ok()).collect()
        } else {
            dates
        };
        let open = dates.iter().flat_map(|date| hours.on(*date));
        open.map(|span| (span.from, if span.until == Time::midnight() { Time::MAX } else { span.until }))
            .collect()
    }

    /// "Tuesday" on a Tuesday whose wanted time is over is the next one.
    fn roll_forward(&mut self, hours: &Hours, now: DateTime) {
        let times = self.times.clone();
        for days in &mut self.days {
            if !days.weekly || days.from != now.date() {
                continue;
            }
            let closing = hours
                .on(now.date())
                .last()
                .map(|span| if span.until == Time::midnight() { Time::MAX } else { span.until });
            let over = if times.is_empty() {
                closing.is_none_or(|closing| closing <= now.time())
            } else {
                times.iter().all(|time| span(*time).1.saturating_sub(1.minute()) <= now.time())
            };
            if over && let Ok(later) = days.from.checked_add(7.days()) {
                *days = Days { from: later, until: later, weekly: false };
            }
        }
    }

    /// Whether a start falls within the wish.
    pub(crate) fn fits(&self, start: DateTime) -> bool {
        let day = self.days.is_empty() || self.days.iter().any(|days| days.holds(start.date()));
        let time = self.times.is_empty()
            || self.times.iter().any(|time| {
                let (from, until) = span(*time);
                from <= start.time() && start.time() < until
            });
        day && time
    }

    /// Where to look, in this order, until something is found.
    pub(crate) fn searches(
        &self,
        business: &Business,
        now: DateTime,
        zone: &TimeZone,
        settings: &Settings,
    ) -> Vec<Search> {
        let last =
            now.date().checked_add(i64::from(business.policy.booking_days_max).days()).unwrap_or(Date::MAX);
        let stamp =
            |at: DateTime| zone.to_ambiguous_zoned(at).compatible().map(|zoned| zoned.timestamp()).ok();
        let window = |from: DateTime, until: DateTime| {
            let window = Window { from: stamp(from.max(now))?, until: stamp(until)? };
            (window.from < window.until).then_some(window)
        };
        let whole = |from: Date, until: Date| {
            let end = until.min(last).tomorrow().unwrap_or(Date::MAX);
            window(from.to_datetime(Time::midnight()), end.to_datetime(Time::midnight()))
        };
        let days = if self.days.is_empty() {
            vec![Days { from: now.date(), until: last, weekly: false }]
        } else {
            self.days.clone()
        };
        let mut searches: Vec<Search> = Vec::new();
        let mut near = None;
        for day in &days {
            if self.times.is_empty() {
                let window = whole(day.from, day.until);
                searches.extend(window.map(|window| Search { window, near: None, asked: true }));
                continue;
            }
            let dates = day.from.series(1.day()).take_while(|date| *date <= day.until.min(last));
            for date in dates.take(31).filter(|date| !business.hours.on(*date).is_empty()) {
                for time in &self.times {
                    let (from, until) = span(*time);
                    let at = match time {
                        TimeOfDay::At(clock) | TimeOfDay::Around(clock) => {
                            stamp(date.to_datetime(clock.time))
                        }
                        _ => None,
                    };
                    near = near.or(at);
                    let window = window(date.to_datetime(from), date.to_datetime(until));
                    searches.extend(window.map(|window| Search { window, near: at, asked: true }));
                }
            }
        }
        searches.truncate(settings.searches_max);
        searches.extend(self.alternatives(near, now, settings, &whole));
        searches
    }

    /// The same day at other times, then the days after.
    fn alternatives(
        &self,
        near: Option<Timestamp>,
        now: DateTime,
        settings: &Settings,
        whole: &dyn Fn(Date, Date) -> Option<Window>,
    ) -> Vec<Search> {
        let first = self.days.first().map_or(now.date(), |days| days.from);
        let mut searches = Vec::new();
        if let Some(window) = whole(first, first).filter(|_| !self.times.is_empty()) {
            let from = near
                .and_then(|at| at.checked_sub(3.hours()).ok())
                .map_or(window.from, |from| from.max(window.from));
            let until = near
                .and_then(|at| at.checked_add(3.hours()).ok())
                .map_or(window.until, |until| until.min(window.until));
            if from < until && near.is_some() {
                searches.push(Search { window: Window { from, until }, near, asked: false });
            }
            searches.push(Search { window, near, asked: false });
        }
        let until = first.checked_add(settings.alternatives_days.days()).unwrap_or(first);
        searches.extend(whole(first, until).map(|window| Search { window, near: None, asked: false }));
        searches
    }
}

/// The reading that opening hours allow; by custom where they allow none.
fn settle_clock(clock: Clock, open: &[(Time, Time)], qualified: bool) -> Clock {
    if !clock.either {
        return clock;
    }
    let allowed = |time: Time| {
        open.iter().any(|(from, until)| *from <= time && (time < *until || qualified && time == *until))
    };
    let readings: Vec<Time> = clock.readings().into_iter().filter(|time| allowed(*time)).collect();
    match readings.as_slice() {
        [only] => Clock::sure(*only),
        [] => clock.in_half(clock.time.hour() < 7),
        _ => clock,
    }
}
