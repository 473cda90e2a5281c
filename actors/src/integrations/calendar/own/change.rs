//! Making, moving and cancelling appointments. The store decides who gets a time.

use jiff::Timestamp;

use super::availability::minutes;
use super::rules::{self, Wanted};
use super::{Calendar, Request};
use crate::storage::{BookingWrite, Error, Occupied, Result};
use crate::types::{Booking, BookingId, BookingState, Contact, Slot, ToolOutcome};

impl Calendar {
    pub(super) async fn book(
        &self,
        request: &Request<'_>,
        slot: &Slot,
        contact: &Contact,
    ) -> Result<ToolOutcome> {
        let context = request.context;
        let wanted = match rules::check(request.business, &request.zone, context.now, slot) {
            Ok(wanted) => wanted,
            Err(why) => return Ok(ToolOutcome::Refused { why }),
        };
        let booking = Booking {
            id: BookingId::new(context.new_id),
            tenant: request.business.id.clone(),
            slot: wanted.slot.clone(),
            contact: contact.clone(),
            call: context.call,
            state: BookingState::Confirmed,
            version: 1,
            made_at: context.now,
        };
        match self.storage.book(&booking, &time_of(&wanted, booking.id), request.key).await? {
            BookingWrite::Written(booking) => Ok(ToolOutcome::Booked { booking }),
            BookingWrite::Taken => self.taken(request, &wanted, None).await,
            BookingWrite::Stale => Err(Error::Conflict { what: "appointment" }),
        }
    }

    pub(super) async fn rebook(
        &self,
        request: &Request<'_>,
        booking: BookingId,
        to: &Slot,
    ) -> Result<ToolOutcome> {
        for _ in 0..self.settings.attempts_max.max(1) {
            let before = match self.standing(request, booking).await? {
                Ok(before) => before,
                Err(outcome) => return Ok(outcome),
            };
            let wanted = match rules::check(request.business, &request.zone, request.context.now, to) {
                Ok(wanted) => wanted,
                Err(why) => return Ok(ToolOutcome::Refused { why }),
            };
            let changed = Booking { slot: wanted.slot.clone(), version: before.version + 1, ..before };
            match self.storage.rebook(&changed, &time_of(&wanted, booking), request.key).await? {
                BookingWrite::Written(booking) => return Ok(ToolOutcome::Moved { booking }),
                BookingWrite::Taken => return self.taken(request, &wanted, Some(booking)).await,
                BookingWrite::Stale => {}
            }
        }
        Err(Error::Conflict { what: "appointment" })
    }

    pub(super) async fn cancel(&self, request: &Request<'_>, booking: BookingId) -> Result<ToolOutcome> {
        for _ in 0..self.settings.attempts_max.max(1) {
            let before = match self.standing(request, booking).await? {
                Ok(before) => before,
                Err(outcome) => return Ok(outcome),
            };
            let changed = Booking { state: BookingState::Cancelled, version: before.version + 1, ..before };
            match self.storage.cancel(&changed, request.key).await? {
                BookingWrite::Written(booking) => return Ok(ToolOutcome::Cancelled { booking }),
                BookingWrite::Taken | BookingWrite::Stale => {}
            }
        }
        Err(Error::Conflict { what: "appointment" })
    }

    /// The appointment, where it stands and lies ahead; else what to tell.
    async fn standing(
        &self,
        request: &Request<'_>,
        booking: BookingId,
    ) -> Result<std::result::Result<Booking, ToolOutcome>> {
        let found = self.storage.booking(&request.business.id, booking).await?;
        Ok(match found.filter(|booking| booking.state == BookingState::Confirmed) {
            None => Err(ToolOutcome::NotFound),
            Some(booking) if booking.slot.start <= request.context.now => {
                Err(ToolOutcome::Refused { why: "That appointment has already begun.".to_owned() })
            }
            Some(booking) => Ok(booking),
        })
    }

    async fn taken(
        &self,
        request: &Request<'_>,
        wanted: &Wanted<'_>,
        but_for: Option<BookingId>,
    ) -> Result<ToolOutcome> {
        let alternatives = self.alternatives(request, wanted.service, &wanted.slot, but_for).await?;
        Ok(ToolOutcome::SlotTaken { alternatives })
    }
}

/// The time an appointment takes, its buffer included.
fn time_of(wanted: &Wanted<'_>, booking: BookingId) -> Occupied {
    let end = wanted.slot.end;
    Occupied {
        resource: wanted.slot.resource.clone(),
        from: wanted.slot.start,
        until: end.checked_add(minutes(wanted.service.buffer_minutes)).unwrap_or(Timestamp::MAX),
        booking,
    }
}
