//! Looking: free places, and a caller's appointments. Changes nothing.

use jiff::{SignedDuration, Timestamp};

use super::availability::{Search, free};
use super::{Calendar, Request, rules};
use crate::storage::{Page, Result};
use crate::types::{
    Booking, BookingId, BookingState, PhoneNumber, Private, Resource, ResourceId, Service, ServiceId, Slot,
    ToolOutcome, Window,
};

/// How much of the calendar is read at once.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Calendar {
    pub(super) async fn find_slots(
        &self,
        request: &Request<'_>,
        service: &ServiceId,
        resource: Option<&ResourceId>,
        window: Window,
        limit: u32,
    ) -> Result<ToolOutcome> {
        let found = rules::service(request.business, service)
            .and_then(|service| Ok((service, rules::resources(request.business, service, resource)?)));
        let (service, resources) = match found {
            Ok(found) => found,
            Err(why) => return Ok(ToolOutcome::Refused { why }),
        };
        let limit = limit.clamp(1, self.settings.slots_max.max(1)) as usize;
        let slots = self.search(request, service, &resources, window, limit, None).await?;
        Ok(ToolOutcome::Slots { slots })
    }

    /// Free places within the window and what may be booked now, read week by week until there are enough.
    async fn search(
        &self,
        request: &Request<'_>,
        service: &Service,
        resources: &[&Resource],
        window: Window,
        limit: usize,
        but_for: Option<BookingId>,
    ) -> Result<Vec<Slot>> {
        let (earliest, latest) =
            rules::bookable(request.business, service, &request.zone, request.context.now);
        let (mut from, until) = (window.from.max(earliest), window.until.min(latest));
        let mut slots = Vec::new();
        while from < until && slots.len() < limit {
            let week_ends = from.checked_add(WEEK).unwrap_or(Timestamp::MAX).min(until);
            let mut taken = Vec::with_capacity(resources.len());
            for resource in resources {
                let (first, last) = (before(from, DAY), after(week_ends, DAY + DAY));
                taken.push(self.storage.occupied(&request.business.id, &resource.id, first, last).await?);
            }
            let search = Search {
                business: request.business,
                zone: &request.zone,
                service,
                resources: resources.to_vec(),
                from,
                until: week_ends,
                grid_minutes: self.settings.grid_minutes,
                taken: &taken,
                but_for,
            };
            slots.extend(free(&search, limit - slots.len()));
            from = week_ends;
        }
        Ok(slots)
    }

    /// The free places that are nearest to one that is taken, in the order of time.
    pub(super) async fn alternatives(
        &self,
        request: &Request<'_>,
        service: &Service,
        slot: &Slot,
        but_for: Option<BookingId>,
    ) -> Result<Vec<Slot>> {
        let Ok(resources) = rules::resources(request.business, service, None) else { return Ok(Vec::new()) };
        let until = after(slot.start, DAY * i32::try_from(self.settings.alternatives_days).unwrap_or(7));
        let window = Window { from: before(slot.start, DAY), until };
        let limit = self.settings.alternatives as usize;
        let near = |one: &Slot| slot.start.duration_since(one.start).abs();
        // As many before as after, then the nearest of both.
        let earlier = Window { until: slot.start, ..window };
        let later = Window { from: slot.start, ..window };
        let mut slots = self.search(request, service, &resources, earlier, usize::MAX, but_for).await?;
        slots = slots.split_off(slots.len().saturating_sub(limit));
        slots.extend(self.search(request, service, &resources, later, limit, but_for).await?);
        slots.sort_by_key(near);
        slots.truncate(limit);
        slots.sort_by_key(|slot| slot.start);
        Ok(slots)
    }

    /// Appointments that stand and are not over. With both number and name, both must fit.
    pub(super) async fn find_bookings(
        &self,
        request: &Request<'_>,
        number: Option<&Private<PhoneNumber>>,
        name: Option<&Private<String>>,
    ) -> Result<ToolOutcome> {
        if number.is_none() && name.is_none() {
            return Ok(ToolOutcome::NotFound);
        }
        let now = request.context.now;
        let mut page = Page::first(500);
        let (mut bookings, mut searched) = (Vec::new(), 0);
        loop {
            let listing =
                self.storage.bookings(&request.business.id, before(now, DAY), Timestamp::MAX, page).await?;
            searched += listing.rows.len();
            bookings.extend(listing.rows.into_iter().filter(|booking| {
                booking.state == BookingState::Confirmed
                    && booking.slot.end > now
                    && fits(booking, number, name)
            }));
            let enough = bookings.len() >= self.settings.bookings_max as usize
                || searched >= self.settings.bookings_searched_max as usize;
            match listing.next {
                Some(next) if !enough => page = Page { after: Some(next), limit: 500 },
                _ => break,
            }
        }
        bookings.truncate(self.settings.bookings_max as usize);
        Ok(ToolOutcome::Bookings { bookings })
    }
}

fn fits(booking: &Booking, number: Option<&Private<PhoneNumber>>, name: Option<&Private<String>>) -> bool {
    let number_fits = number.is_none_or(|wanted| {
        booking.contact.number.as_ref().is_some_and(|own| own.reveal().reaches_same_line(wanted.reveal()))
    });
    let name_fits = name.is_none_or(|wanted| {
        booking.contact.name.as_ref().is_some_and(|own| same_name(own.reveal(), wanted.reveal()))
    });
    number_fits && name_fits
}

fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
}

fn before(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_sub(length).unwrap_or(Timestamp::MIN)
}

fn after(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_add(length).unwrap_or(Timestamp::MAX)
}
