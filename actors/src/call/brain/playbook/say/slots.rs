//! Free places as spoken: few, concrete, and only as exact as needed.

use jiff::civil::DateTime;

use super::{Style, date, list, time};

/// "Tuesday the third of March at nine o'clock, half past ten or two o'clock".
pub(crate) fn offer(starts: &[DateTime], now: DateTime, style: Style) -> String {
    let today = now.date();
    let mut days: Vec<(jiff::civil::Date, Vec<DateTime>)> = Vec::new();
    for start in starts {
        match days.iter_mut().find(|(day, _)| *day == start.date()) {
            Some((_, times)) => times.push(*start),
            None => days.push((start.date(), vec![*start])),
        }
    }
    let times = |times: &[DateTime]| {
        // Both halves of the day in one list want telling apart; so do early and late hours.
        let plain = |start: &DateTime| (8..=18).contains(&start.hour());
        let spoken: Vec<String> = times
            .iter()
            .map(|start| {
                if plain(start) { time::short(start.time(), style) } else { time::full(start.time(), style) }
            })
            .collect();
        list::or(&spoken)
    };
    let spoken: Vec<String> = days
        .iter()
        .map(|(day, starts)| format!("{} at {}", date::near(*day, today, style), times(starts)))
        .collect();
    spoken.join(", or ")
}

/// One moment, beyond doubt: "tomorrow, Tuesday the third of March, at half past two in the afternoon".
pub(crate) fn certain(start: DateTime, now: DateTime, style: Style) -> String {
    format!("{}, at {}", date::certain(start.date(), now.date(), style), time::full(start.time(), style))
}

/// One moment, briefly: "tomorrow at half past two".
pub(crate) fn brief(start: DateTime, now: DateTime, style: Style) -> String {
    format!("{} at {}", date::on(start.date(), now.date(), style), time::short(start.time(), style))
}
