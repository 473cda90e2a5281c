//! What is free: a pure function of the business, the time and what is taken.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::span::{self, Span};
use crate::storage::Occupied;
use crate::types::{BookingId, Business, Resource, Service, Slot};

/// What to look for.
pub(super) struct Search<'a> {
    pub(super) business: &'a Business,
    pub(super) zone: &'a TimeZone,
    pub(super) service: &'a Service,
    /// Who may give it, preferred first.
    pub(super) resources: Vec<&'a Resource>,
    /// The earliest start.
    pub(super) from: Timestamp,
    /// No start at or after this.
    pub(super) until: Timestamp,
    pub(super) grid_minutes: u32,
    /// What is taken of each of `resources`, in the same order.
    pub(super) taken: &'a [Vec<Occupied>],
    /// The appointment whose own time counts as free, where one is moved.
    pub(super) but_for: Option<BookingId>,
}

/// The free places, earliest first, each start once: with whom has the least to do that day.
pub(super) fn free(search: &Search<'_>, limit: usize) -> Vec<Slot> {
    let mut starts: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
    for (index, resource) in search.resources.iter().enumerate() {
        for start in starts_with(search, resource, taken(search, index), limit) {
            starts.entry(start).or_default().push(index);
        }
    }
    let length = minutes(search.service.duration_minutes);
    starts
        .into_iter()
        .take(limit)
        .filter_map(|(start, who)| {
            let day = local_date(search.zone, start);
            let least = who.into_iter().min_by_key(|index| busy_seconds(search, *index, day))?;
            Some(Slot {
                service: search.service.id.clone(),
                resource: search.resources.get(least)?.id.clone(),
                start,
                end: start.checked_add(length).ok()?,
            })
        })
        .collect()
}

/// When the business is open and this one there, on the days from `first` to `last`.
pub(super) fn open(
    business: &Business,
    resource: &Resource,
    zone: &TimeZone,
    first: Date,
    last: Date,
) -> Vec<Span> {
    let spans = span::open(&business.hours, zone, first, last);
    match &resource.hours {
        Some(own) => span::both(&spans, &span::open(own, zone, first, last)),
        None => spans,
    }
}

/// The date that the business's clock shows.
pub(super) fn local_date(zone: &TimeZone, at: Timestamp) -> Date {
    zone.to_datetime(at).date()
}

/// So many minutes.
pub(super) fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

fn taken<'a>(search: &'a Search<'_>, index: usize) -> &'a [Occupied] {
    search.taken.get(index).map_or(&[], Vec::as_slice)
}

/// The first `limit` starts with one resource.
fn starts_with(search: &Search<'_>, resource: &Resource, taken: &[Occupied], limit: usize) -> Vec<Timestamp> {
    let first = local_date(search.zone, search.from);
    let last = local_date(search.zone, search.until);
    let (length, buffer) = (minutes(search.service.duration_minutes), minutes(search.service.buffer_minutes));
    let step = minutes(search.grid_minutes.max(1));
    let mut taken = taken.iter().filter(|span| Some(span.booking) != search.but_for).peekable();
    let mut starts = Vec::new();
    // A place may end on the day after the last start, where the business is open over midnight.
    let last = last.tomorrow().unwrap_or(last);
    for (opens, closes) in open(search.business, resource, search.zone, first, last) {
        let mut at = on_grid(search, opens.max(search.from));
        while let Some(start) = at.filter(|start| *start < search.until && starts.len() < limit) {
            let (Ok(end), Ok(clear)) = (start.checked_add(length), start.checked_add(length + buffer)) else {
                break;
            };
            if end > closes {
                break;
            }
            while taken.peek().is_some_and(|span| span.until <= start) {
                taken.next();
            }
            match taken.peek() {
                Some(span) if span.from < clear => at = on_grid(search, span.until.max(start)),
                _ => {
                    starts.push(start);
                    at = start.checked_add(step).ok();
                }
            }
        }
    }
    starts
}

/// The first instant from `at` on at which the local clock shows a multiple of the grid.
fn on_grid(search: &Search<'_>, at: Timestamp) -> Option<Timestamp> {
    let grid = i64::from(search.grid_minutes.max(1)) * 60;
    let time = search.zone.to_datetime(at).time();
    let second = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let whole = at.checked_sub(SignedDuration::from_nanos(i64::from(time.subsec_nanosecond()))).ok()?;
    let past = second.rem_euclid(grid);
    let wait = if past == 0 && whole == at { 0 } else { grid - past };
    whole.checked_add(SignedDuration::from_secs(wait)).ok()
}

/// How much of a day is taken.
fn busy_seconds(search: &Search<'_>, index: usize, day: Date) -> i64 {
    taken(search, index)
        .iter()
        .filter(|span| local_date(search.zone, span.from) == day)
        .map(|span| span.until.duration_since(span.from).as_secs())
        .sum()
}
