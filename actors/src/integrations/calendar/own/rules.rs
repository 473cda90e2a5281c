//! What a business allows. Reasons are said to the caller as they stand here.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::availability::{local_date, minutes, open};
use crate::types::{Business, Resource, ResourceId, Service, ServiceId, Slot};

/// A slot that was asked for, its parts found.
pub(super) struct Wanted<'a> {
    pub(super) service: &'a Service,
    /// As asked for, but as long as the service takes.
    pub(super) slot: Slot,
}

/// The service, or why not.
pub(super) fn service<'a>(business: &'a Business, id: &ServiceId) -> Result<&'a Service, String> {
    business.service(id).ok_or_else(|| "We don't offer that.".to_owned())
}

/// Those who can give the service: the one asked for, or all.
pub(super) fn resources<'a>(
    business: &'a Business,
    service: &Service,
    asked: Option<&ResourceId>,
) -> Result<Vec<&'a Resource>, String> {
    let found: Vec<&Resource> = service
        .resources
        .iter()
        .filter(|id| asked.is_none_or(|asked| asked == *id))
        .filter_map(|id| business.resource(id))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    Err(match asked.and_then(|id| business.resource(id)) {
        Some(resource) => format!("{} is not available for that.", resource.name),
        None => "There is nobody here for that.".to_owned(),
    })
}

/// The earliest and the latest start that may be booked now.
pub(super) fn bookable(
    business: &Business,
    service: &Service,
    zone: &TimeZone,
    now: Timestamp,
) -> (Timestamp, Timestamp) {
    let earliest = now.checked_add(minutes(service.notice_minutes)).unwrap_or(Timestamp::MAX);
    let last = local_date(zone, now)
        .checked_add(i64::from(business.policy.booking_days_max).saturating_add(1).days())
        .ok()
        .and_then(|after| after.to_zoned(zone.clone()).ok())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp());
    (earliest, last)
}

/// Whether a slot may be booked, taken or not.
pub(super) fn check<'a>(
    business: &'a Business,
    zone: &TimeZone,
    now: Timestamp,
    slot: &Slot,
) -> Result<Wanted<'a>, String> {
    let service = service(business, &slot.service)?;
    let resource = resources(business, service, Some(&slot.resource))?
        .into_iter()
        .next()
        .ok_or_else(|| "There is nobody here for that.".to_owned())?;
    let end = slot
        .start
        .checked_add(minutes(service.duration_minutes))
        .map_err(|_| "That is too far ahead.".to_owned())?;
    let slot = Slot { end, ..slot.clone() };
    let (earliest, latest) = bookable(business, service, zone, now);
    if slot.start < now {
        return Err("That time has passed.".to_owned());
    }
    if slot.start < earliest {
        return Err(format!("That has to be booked at least {} ahead.", spoken(service.notice_minutes)));
    }
    if slot.start >= latest {
        let days = business.policy.booking_days_max;
        return Err(format!("We only take appointments up to {days} days ahead."));
    }
    // The day before, too: its hours may reach over midnight.
    let day = local_date(zone, slot.start);
    let (first, last) = (day.yesterday().unwrap_or(day), day.tomorrow().unwrap_or(day));
    let holds = |spans: &[super::span::Span]| {
        spans.iter().any(|(from, until)| *from <= slot.start && slot.end <= *until)
    };
    if !holds(&super::span::open(&business.hours, zone, first, last)) {
        let opens = business.hours.is_open(day, zone.to_datetime(slot.start).time());
        let why =
            if opens { "There is not enough time for that before we close." } else { "We are closed then." };
        return Err(why.to_owned());
    }
    if !holds(&open(business, resource, zone, first, last)) {
        return Err(format!("{} is not available then.", resource.name));
    }
    Ok(Wanted { service, slot })
}

/// Minutes as they are said.
fn spoken(count: u32) -> String {
    let (count, unit) = match count {
        days if days.is_multiple_of(1_440) => (days / 1_440, "day"),
        hours if hours.is_multiple_of(60) => (hours / 60, "hour"),
        minutes => (minutes, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
