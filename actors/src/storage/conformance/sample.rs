//! Values to store.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::storage::{BookingWrite, Fence, IdempotencyKey, Occupied, Storage};
use crate::types::{
    Attestation, Booking, BookingId, BookingState, Business, CallEvent, CallEventKind, CallId, CallQuality,
    CallRecord, CallTime, Contact, EmailAddress, Hours, Language, Message, MessageId, PhoneNumber, Policy,
    Private, ResourceId, Role, ServiceId, Slot, TenantId, Urgency, User, UserId,
};

pub(crate) type Store = Arc<dyn Storage>;

pub(crate) fn uuid(number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 | u128::from(number))
}

pub(crate) fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T09:00:00Z".parse().expect("a time");
    start + SignedDuration::from_mins(minute)
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

pub(crate) fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey(text.to_owned())
}

pub(crate) fn business(id: &str, version: u64, numbers: &[&str]) -> Business {
    Business {
        id: tenant(id),
        version,
        name: id.to_owned(),
        description: String::new(),
        time_zone: "Europe/London".to_owned(),
        language: Language::new("en-GB"),
        address: None,
        directions: None,
        numbers: numbers.iter().map(|text| number(text)).collect(),
        hours: Hours::default(),
        services: Vec::new(),
        resources: Vec::new(),
        faqs: Vec::new(),
        departments: Vec::new(),
        transfer_rules: Vec::new(),
        policy: Policy::default(),
        arrival: Default::default(),
    }
}

/// By what claim something is written of a call that began at 0.
pub(crate) fn fence(claim: u32) -> Fence {
    Fence { started_at: at(0), claim }
}

pub(crate) fn call(owner: &str, id: u32, minute: i64) -> CallRecord {
    CallRecord {
        id: CallId::new(uuid(id)),
        tenant: tenant(owner),
        business_version: 1,
        caller: Some(Private::new(number("+447700900001"))),
        attestation: Attestation::Absent,
        called: number("1000"),
        started_at: at(minute),
        answered_at: Some(at(minute)),
        ended_at: Some(at(minute + 1)),
        outcome: None,
        sip_status: 200,
        heading: Default::default(),
        summary: Private::from("They asked for the opening hours."),
        bookings: Vec::new(),
        messages: Vec::new(),
        recording: None,
        quality: CallQuality::default(),
        latencies: Vec::new(),
        held_by: None,
        arrived: None,
        call_back: None,
    }
}

pub(crate) fn event(seq: u32, what: &str) -> CallEvent {
    CallEvent {
        seq,
        at: CallTime::from_ms(u64::from(seq)),
        kind: CallEventKind::Trouble { what: what.to_owned() },
    }
}

/// An appointment with Sam and the time it takes, a buffer of five minutes included.
pub(crate) fn booking(id: u32, minute: i64, minutes: i64) -> (Booking, Occupied) {
    let slot = Slot {
        service: ServiceId::new("haircut"),
        resource: ResourceId::new("sam"),
        start: at(minute),
        end: at(minute + minutes),
    };
    let booking = Booking {
        id: BookingId::new(uuid(id)),
        tenant: tenant("barbers"),
        slot,
        contact: Contact { name: Some(Private::from("Ada")), number: None },
        call: CallId::new(uuid(id)),
        state: BookingState::Confirmed,
        version: 1,
        made_at: at(0),
    };
    let occupied = time_of(&booking);
    (booking, occupied)
}

pub(crate) fn time_of(booking: &Booking) -> Occupied {
    Occupied {
        resource: booking.slot.resource.clone(),
        from: booking.slot.start,
        until: booking.slot.end + SignedDuration::from_mins(5),
        booking: booking.id,
    }
}

/// The same appointment at another time, its version raised.
pub(crate) fn moved(booking: &Booking, minute: i64) -> (Booking, Occupied) {
    let length = booking.slot.end.duration_since(booking.slot.start);
    let slot = Slot { start: at(minute), end: at(minute) + length, ..booking.slot.clone() };
    let moved = Booking { slot, version: booking.version + 1, ..booking.clone() };
    let occupied = time_of(&moved);
    (moved, occupied)
}

pub(crate) fn cancelled(booking: &Booking) -> Booking {
    Booking { state: BookingState::Cancelled, version: booking.version + 1, ..booking.clone() }
}

pub(crate) fn message(owner: &str, id: u32, minute: i64) -> Message {
    Message {
        id: MessageId::new(uuid(id)),
        tenant: tenant(owner),
        call: CallId::new(uuid(id)),
        recipient: None,
        from: Contact::default(),
        text: Private::from("Please call back."),
        urgency: Urgency::Normal,
        taken_at: at(minute),
    }
}

pub(crate) fn user(owner: &str, id: u32, email: &str) -> User {
    User {
        id: UserId::new(uuid(id)),
        tenant: tenant(owner),
        version: 1,
        email: Private::new(EmailAddress::parse(email).expect("an address")),
        name: Private::from("Ada"),
        role: Role::Agent,
        created_at: at(0),
    }
}

pub(crate) fn written(write: BookingWrite) -> Booking {
    match write {
        BookingWrite::Written(booking) => booking,
        other => panic!("not written: {other:?}"),
    }
}
