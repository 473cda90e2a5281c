//! The business's side: its own calendar and its messages, over a store in memory.

use std::sync::Arc;

use actors::integrations::calendar::{Calendar, Settings, ToolContext};
use actors::storage::{IdempotencyKey, Memory, Storage};
use actors::types::{
    Booking, Business, CallId, Contact, Message, MessageId, ToolCall, ToolOutcome, ToolStep, Urgency,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

pub(crate) struct Desk {
    runtime: tokio::runtime::Runtime,
    store: Arc<dyn Storage>,
    calendar: Calendar,
    made: u128,
    /// Appointments that the store acknowledged.
    pub(crate) bookings: u32,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(Memory::new()))
    }

    /// A desk whose calendar and messages are in this store.
    pub(crate) fn over(store: Arc<dyn Storage>) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
            calendar: Calendar::new(Arc::clone(&store), Settings::default()),
            store,
            made: 0,
            bookings: 0,
        }
    }

    /// Does what a tool does.
    pub(crate) fn call(
        &mut self,
        business: &Business,
        step: ToolStep,
        now: Timestamp,
        asked: &ToolCall,
    ) -> ToolOutcome {
        let key = IdempotencyKey(format!("call/{}", step.0));
        self.act(business, &key, now, asked)
    }

    /// Puts something into the calendar before the call.
    pub(crate) fn given(&mut self, business: &Business, now: Timestamp, asked: &ToolCall) -> ToolOutcome {
        let key = IdempotencyKey(format!("given/{}", self.made));
        self.act(business, &key, now, asked)
    }

    fn act(
        &mut self,
        business: &Business,
        key: &IdempotencyKey,
        now: Timestamp,
        asked: &ToolCall,
    ) -> ToolOutcome {
        self.made += 1;
        let new_id = Uuid::from_u128(self.made);
        let call = CallId::default();
        let outcome = if let ToolCall::TakeMessage { recipient, from, text, urgency } = asked {
            let message = Message {
                id: MessageId::new(new_id),
                tenant: business.id.clone(),
                call,
                recipient: recipient.clone(),
                from: from.clone(),
                text: text.clone(),
                urgency: *urgency,
                taken_at: now,
            };
            match self.runtime.block_on(self.store.put_message(&message, key)) {
                Ok(kept) => ToolOutcome::from(&kept),
                Err(error) => ToolOutcome::Failed { why: error.to_string() },
            }
        } else {
            let context = ToolContext { call, now, new_id };
            self.runtime.block_on(self.calendar.call(business, key, context, asked))
        };
        if let ToolOutcome::Booked { .. } = outcome {
            self.bookings += 1;
        }
        outcome
    }

    /// What was done, as a line of a golden call.
    pub(crate) fn fact(&self, business: &Business, call: &ToolCall, outcome: &ToolOutcome) -> Option<String> {
        match (call, outcome) {
            (_, ToolOutcome::Booked { booking }) => Some(format!("booked {}", told(business, booking, "on"))),
            (_, ToolOutcome::Moved { booking }) => Some(format!("moved {}", told(business, booking, "to"))),
            (_, ToolOutcome::Cancelled { booking }) => {
                Some(format!("cancelled {}", told(business, booking, "on")))
            }
            (ToolCall::TakeMessage { recipient, from, text, urgency }, ToolOutcome::MessageTaken { .. }) => {
                let urgent = if *urgency == Urgency::Urgent { "urgent " } else { "" };
                let recipient = recipient.as_ref().map_or(String::new(), |name| format!(" for {name}"));
                Some(format!("{urgent}message{recipient}{}: \"{}\"", person(" from", from), text.reveal()))
            }
            _ => None,
        }
    }
}

fn told(business: &Business, booking: &Booking, word: &str) -> String {
    let zone = TimeZone::get(&business.time_zone).expect("the business's time zone is known");
    let start = booking.slot.start.to_zoned(zone);
    let service = business.service(&booking.slot.service).map_or("?", |service| &service.name);
    let resource = business.resource(&booking.slot.resource).map_or("?", |resource| &resource.name);
    let when = start.strftime("%Y-%m-%d at %H:%M");
    format!("{service} with {resource} {word} {when}{}", person(" for", &booking.contact))
}

fn person(word: &str, contact: &Contact) -> String {
    let name = contact.name.as_ref().map(|name| name.reveal().clone());
    let number = contact.number.as_ref().map(|number| number.reveal().as_str().to_owned());
    match (name, number) {
        (None, None) => String::new(),
        (name, number) => {
            let parts: Vec<String> = name.into_iter().chain(number).collect();
            format!("{word} {}", parts.join(" "))
        }
    }
}
