//! The business's own calendar: opening hours, services with durations and buffers, staff and rooms.
//!
//! What is free is a pure function of the business, the time and what is taken (`availability`, `rules`); the
//! store alone decides who gets a time that two callers want.

mod availability;
mod change;
mod find;
mod integration;
mod rules;
mod span;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::storage::{Error, IdempotencyKey, Result, Storage};
use crate::types::{Business, CallId, ToolCall, ToolOutcome};

/// Bounds and habits of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Places are offered at multiples of this many minutes past midnight; a caller may ask for any minute.
    pub grid_minutes: u32,
    /// The most free places in one answer.
    pub slots_max: u32,
    /// How many places are offered instead of one that is taken.
    pub alternatives: u32,
    /// How far after a taken place others are looked for, in days.
    pub alternatives_days: u32,
    /// The most appointments in one answer to "when is my appointment?".
    pub bookings_max: u32,
    /// The most of a business's coming appointments that are looked through for a caller's.
    pub bookings_searched_max: u32,
    /// How often a change is tried again when another one came between.
    pub attempts_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grid_minutes: 15,
            slots_max: 20,
            alternatives: 3,
            alternatives_days: 7,
            bookings_max: 10,
            bookings_searched_max: 20_000,
            attempts_max: 3,
        }
    }
}

/// What a tool call brings along: the calendar has neither a clock nor chance of its own.
#[derive(Debug, Clone, Copy)]
pub struct ToolContext {
    /// The call that asks.
    pub call: CallId,
    /// The time.
    pub now: Timestamp,
    /// The identity of what the call makes, if it makes something.
    pub new_id: Uuid,
}

/// A business's calendar, kept in a store. Cheap to clone; not tied to one business.
#[derive(Clone)]
pub struct Calendar {
    storage: Arc<dyn Storage>,
    settings: Settings,
}

impl fmt::Debug for Calendar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Calendar").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// One request, with the time zone found.
struct Request<'a> {
    business: &'a Business,
    zone: TimeZone,
    key: &'a IdempotencyKey,
    context: ToolContext,
}

impl Calendar {
    /// A calendar over this store.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, settings: Settings) -> Self {
        Self { storage, settings }
    }

    /// Answers a tool call. An act happens once per key: asked again, the first outcome is returned. Where the
    /// store fails, the outcome is `Failed` (nothing was done) or `Unknown`; both may be asked again.
    pub async fn call(
        &self,
        business: &Business,
        key: &IdempotencyKey,
        context: ToolContext,
        call: &ToolCall,
    ) -> ToolOutcome {
        match self.attempt(business, key, context, call).await {
            Ok(outcome) => outcome,
            Err(error @ Error::Unknown { .. }) => ToolOutcome::Unknown { why: error.to_string() },
            Err(error) => ToolOutcome::Failed { why: error.to_string() },
        }
    }

    /// As [`Self::call`], for whoever decides on retries.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn attempt(
        &self,
        business: &Business,
        key: &IdempotencyKey,
        context: ToolContext,
        call: &ToolCall,
    ) -> Result<ToolOutcome> {
        let Ok(zone) = TimeZone::get(&business.time_zone) else {
            return Ok(ToolOutcome::Failed { why: "the business's time zone is not known".to_owned() });
        };
        let request = Request { business, zone, key, context };
        match call {
            ToolCall::FindSlots { service, resource, window, limit } => {
                self.find_slots(&request, service, resource.as_ref(), *window, *limit).await
            }
            ToolCall::FindBookings { number, name } => {
                self.find_bookings(&request, number.as_ref(), name.as_ref()).await
            }
            ToolCall::Book { slot, contact } => {
                if let Some(first) = self.first_outcome(&request, call).await? {
                    return Ok(first);
                }
                let outcome = self.book(&request, slot, contact).await?;
                self.settle(&request, outcome).await
            }
            ToolCall::Move { booking, to } => {
                if let Some(first) = self.first_outcome(&request, call).await? {
                    return Ok(first);
                }
                let outcome = self.rebook(&request, *booking, to).await?;
                self.settle(&request, outcome).await
            }
            ToolCall::Cancel { booking } => {
                if let Some(first) = self.first_outcome(&request, call).await? {
                    return Ok(first);
                }
                let outcome = self.cancel(&request, *booking).await?;
                self.settle(&request, outcome).await
            }
            ToolCall::TakeMessage { .. } => {
                Ok(ToolOutcome::Failed { why: "the calendar takes no messages".to_owned() })
            }
        }
    }

    /// What this act came to before, if it was asked before. Looked up before any rule is checked: time has gone
    /// by since, and what was allowed then may not be now.
    async fn first_outcome(&self, request: &Request<'_>, call: &ToolCall) -> Result<Option<ToolOutcome>> {
        let Some(booking) = self.storage.written(&request.business.id, request.key).await? else {
            return self.storage.outcome(request.key).await;
        };
        Ok(Some(match call {
            ToolCall::Move { .. } => ToolOutcome::Moved { booking },
            ToolCall::Cancel { .. } => ToolOutcome::Cancelled { booking },
            _ => ToolOutcome::Booked { booking },
        }))
    }

    /// Remembers an outcome that changed nothing, so that it stays the outcome. One that changed an appointment
    /// is remembered with it, in the same write.
    async fn settle(&self, request: &Request<'_>, outcome: ToolOutcome) -> Result<ToolOutcome> {
        match outcome {
            ToolOutcome::SlotTaken { .. } | ToolOutcome::NotFound | ToolOutcome::Refused { .. } => {
                self.storage.remember_outcome(request.key, &outcome).await
            }
            _ => Ok(outcome),
        }
    }
}
