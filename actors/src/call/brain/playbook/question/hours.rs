//! "Are you open on Sunday?", "When do you close today?", "Are you open on Christmas Day?"

use jiff::ToSpan;
use jiff::civil::{Date, Time};

use crate::call::brain::playbook::heard::Heard;
use crate::call::brain::playbook::parse::time::TimeOfDay;
use crate::call::brain::playbook::say;
use crate::call::brain::playbook::turn::Turn;
use crate::types::{Closure, OpeningHours};

pub(super) fn answer(turn: &mut Turn<'_, '_>, heard: &Heard) -> bool {
    let hours = &turn.business().hours;
    if hours.week.values().all(Vec::is_empty) && hours.exceptions.is_empty() {
        return false;
    }
    if let Some(closure) = named_exception(turn, heard) {
        let text = exception(turn, &closure);
        turn.say(text);
        return true;
    }
    let words = &heard.words;
    let today = turn.today();
    let closing = words.has_any(&["close", "closing", "shut", "until", "late", "till"]);
    let now =
        words.has_any(&["open now", "right now", "at the moment", "open yet", "still open", "currently"])
            || words.find("now").is_some();
    let mut days: Vec<Date> = Vec::new();
    for span in &heard.when.days {
        days.extend(span.from.series(1.day()).take_while(|date| *date <= span.until).take(7));
    }
    if days.is_empty() && now {
        let text = open_now(turn);
        turn.say(text);
        return true;
    }
    if days.is_empty() && words.has_any(&["weekend", "weekends"]) {
        days = weekend(today);
    }
    if days.is_empty() && closing && !heard.wants_week() {
        days = vec![today];
    }
    match days.as_slice() {
        [] => {
            let week = say::hours::week(hours, turn.style());
            turn.say(week);
        }
        [date] => {
            let text = one_day(turn, heard, *date, closing);
            turn.say(text);
        }
        [from, .., until] if days.len() > 3 => {
            let week = say::hours::week(hours, turn.style());
            turn.say(week);
            let differing: Vec<Closure> = hours
                .exceptions
                .iter()
                .filter(|closure| closure.from <= *until && *from <= closure.until)
                .take(2)
                .cloned()
                .collect();
            for closure in differing {
                let text = exception(turn, &closure);
                turn.say(text);
            }
        }
        few => {
            for date in few {
                let text = one_day(turn, heard, *date, false);
                turn.say(text);
            }
        }
    }
    true
}

impl Heard {
    /// "What are your closing times?" asks for the week.
    fn wants_week(&self) -> bool {
        self.words.has_any(&["hours", "times", "week", "usually", "every day"])
    }
}

fn weekend(today: Date) -> Vec<Date> {
    let ahead = (6 - i64::from(today.weekday().to_monday_one_offset())).rem_euclid(7);
    let saturday = today.checked_add(ahead.days()).unwrap_or(today);
    vec![saturday, saturday.tomorrow().unwrap_or(saturday)]
}

/// A holiday that the business names itself: "the bank holiday".
fn named_exception(turn: &Turn<'_, '_>, heard: &Heard) -> Option<Closure> {
    let exceptions = &turn.business().hours.exceptions;
    let coming =
        exceptions.iter().filter(|closure| closure.until >= turn.today() && heard.when.days.is_empty());
    coming
        .filter(|closure| {
            closure.reason.as_ref().is_some_and(|reason| {
                let reason = crate::call::brain::playbook::normalise::Words::of(reason);
                let content: Vec<&str> = reason
                    .iter()
                    .filter(|word| !matches!(*word, "the" | "a" | "our" | "day" | "for" | "of"))
                    .collect();
                !content.is_empty() && content.iter().all(|word| heard.words.iter().any(|said| said == *word))
            })
        })
        .min_by_key(|closure| closure.from)
        .cloned()
}

fn exception(turn: &Turn<'_, '_>, closure: &Closure) -> String {
    let (today, style) = (turn.today(), turn.style());
    let days = if closure.from == closure.until {
        say::date::on(closure.from, today, style)
    } else {
        format!(
            "from {} to {}",
            say::date::full(closure.from, today, style),
            say::date::full(closure.until, today, style)
        )
    };
    let reason = closure.reason.as_ref().map(|reason| format!(", for {reason}")).unwrap_or_default();
    if closure.hours.is_empty() {
        format!("We're closed {days}{reason}.")
    } else {
        format!("We're open {} {days}{reason}.", say::hours::spans(&closure.hours, style))
    }
}

fn one_day(turn: &Turn<'_, '_>, heard: &Heard, date: Date, closing: bool) -> String {
    let (hours, style, today) = (&turn.business().hours, turn.style(), turn.today());
    let on = say::date::on(date, today, style);
    let spans = hours.on(date);
    let reason = hours
        .exceptions
        .iter()
        .find(|closure| closure.from <= date && date <= closure.until)
        .and_then(|closure| closure.reason.as_ref())
        .map(|reason| format!(", for {reason}"))
        .unwrap_or_default();
    let Some(last) = spans.last() else { return format!("We're closed {on}{reason}.") };
    let asked = heard.when.times.first().and_then(|time| match time {
        TimeOfDay::At(clock) => Some(*clock),
        _ => None,
    });
    if let Some(clock) = asked {
        let reading = clock.readings().into_iter().find(|time| contains(spans, *time));
        return match reading {
            Some(time) => format!(
                "Yes, we're open at {} {on}: {}.",
                say::time::short(time, style),
                say::hours::spans(spans, style)
            ),
            None => format!("No, {on} we're open {}.", say::hours::spans(spans, style)),
        };
    }
    if closing && heard.words.has_any(&["close", "closing", "shut", "late", "until", "till"]) {
        if date == today && last.until <= turn.now().time() && last.until != Time::midnight() {
            return format!("We've closed for today. We closed at {}.", say::time::short(last.until, style));
        }
        return format!("We close at {} {on}.", say::time::short(last.until, style));
    }
    format!("We're open {on} {}{reason}.", say::hours::spans(spans, style))
}

fn contains(spans: &[OpeningHours], time: Time) -> bool {
    spans.iter().any(|span| span.contains(time))
}

fn open_now(turn: &Turn<'_, '_>) -> String {
    let (hours, style, today, now) = (&turn.business().hours, turn.style(), turn.today(), turn.now().time());
    if let Some(span) = hours.on(today).iter().find(|span| span.contains(now)) {
        return format!("Yes, we're open until {} today.", say::time::short(span.until, style));
    }
    let next = today.series(1.day()).take(14).find_map(|date| {
        let span = hours.on(date).iter().find(|span| date > today || span.from > now)?;
        Some((date, span.from))
    });
    match next {
        Some((date, from)) => format!(
            "We're closed right now. We open again {} at {}.",
            say::date::on(date, today, style),
            say::time::short(from, style)
        ),
        None => "We're closed right now.".to_owned(),
    }
}
