//! A store with two calls, an appointment and a message in it.

use std::path::Path;

use actors::storage::{Embedded, IdempotencyKey, Occupied, Storage, embedded};
use actors::types::{
    Attestation, Booking, BookingId, BookingState, CallEvent, CallEventKind, CallId, CallQuality, CallRecord,
    CallResult, CallTime, Contact, EndReason, Heading, Message, MessageId, Outcome, PhoneNumber, Private,
    ResourceId, ServiceId, Slot, Speaker, TenantId, ToolCall, ToolOutcome, ToolStep, TurnLatency, Urgency,
};
use jiff::Timestamp;

/// The call with everything in it.
pub(crate) const CALL: &str = "01970000-0000-7000-8000-000000000001";
const REFUSED: &str = "01970000-0000-7000-8000-000000000002";
const BOOKING: &str = "01970000-0000-7000-8000-00000000000b";
const MESSAGE: &str = "01970000-0000-7000-8000-00000000000e";

pub(crate) fn write(data: &Path) {
    let settings = embedded::Settings::default();
    let store = Embedded::open(&data.join("strowger.redb"), &settings).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        store.put_call(&refused()).await.expect("writes");
        store.put_call(&record()).await.expect("writes");
        store.append_events(call(), &events()).await.expect("writes");
        let occupied = Occupied {
            resource: ResourceId::new("sam"),
            from: slot().start,
            until: slot().end,
            booking: booking().id,
        };
        store.book(&booking(), &occupied, &key(1)).await.expect("writes");
        store.put_message(&message(), &key(2)).await.expect("writes");
    });
    store.close();
}

fn key(step: u32) -> IdempotencyKey {
    IdempotencyKey(format!("{CALL}/{step}"))
}

fn call() -> CallId {
    CALL.parse().expect("an id")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn tenant() -> TenantId {
    TenantId::new("fleet-street-barbers")
}

fn number() -> Private<PhoneNumber> {
    PhoneNumber::parse("+441632960123").expect("a number").into()
}

fn record() -> CallRecord {
    CallRecord {
        id: call(),
        tenant: tenant(),
        business_version: 1,
        caller: Some(number()),
        attestation: Attestation::Full,
        called: PhoneNumber::parse("1000").expect("a number"),
        started_at: at("2026-03-27T17:59:58Z"),
        answered_at: Some(at("2026-03-27T17:59:58Z")),
        ended_at: Some(at("2026-03-27T18:01:03Z")),
        outcome: Some(Outcome { result: CallResult::Success, reason: EndReason::CallerHungUp }),
        sip_status: 200,
        heading: Heading::Booked,
        summary: "Alma Strowger booked a haircut with Sam.".into(),
        bookings: vec![BOOKING.parse::<BookingId>().expect("an id")],
        messages: vec![MESSAGE.parse::<MessageId>().expect("an id")],
        recording: None,
        quality: CallQuality {
            packets_received: 3_200,
            packets_sent: 3_250,
            packets_lost: 4,
            jitter_ms: 1.25,
            round_trip_ms: Some(18.0),
            mos: Some(4.31),
            concealed_ms: 80,
        },
        latencies: vec![
            TurnLatency { turn_ended_ms: 500, words_final_ms: 620, answered_ms: 622, audible_ms: 640 },
            TurnLatency { turn_ended_ms: 800, words_final_ms: 900, answered_ms: 901, audible_ms: 915 },
        ],
        held_by: None,
        arrived: None,
        call_back: None,
    }
}

/// A call that found the business at its limit.
fn refused() -> CallRecord {
    CallRecord {
        id: REFUSED.parse().expect("an id"),
        caller: None,
        started_at: at("2026-03-27T17:00:00Z"),
        answered_at: None,
        ended_at: Some(at("2026-03-27T17:00:00Z")),
        outcome: Some(Outcome { result: CallResult::Server, reason: EndReason::Refused }),
        sip_status: 486,
        heading: Heading::Nothing,
        summary: Private::default(),
        bookings: Vec::new(),
        messages: Vec::new(),
        quality: CallQuality::default(),
        latencies: Vec::new(),
        held_by: None,
        arrived: None,
        call_back: None,
        ..record()
    }
}

fn slot() -> Slot {
    Slot {
        service: ServiceId::new("haircut"),
        resource: ResourceId::new("sam"),
        // The clocks change in the night before.
        start: at("2026-03-30T09:00:00Z"),
        end: at("2026-03-30T09:30:00Z"),
    }
}

fn booking() -> Booking {
    Booking {
        id: BOOKING.parse().expect("an id"),
        tenant: tenant(),
        slot: slot(),
        contact: Contact { name: Some("Alma Strowger".into()), number: Some(number()) },
        call: call(),
        state: BookingState::Confirmed,
        version: 1,
        made_at: at("2026-03-27T18:00:40Z"),
    }
}

fn message() -> Message {
    Message {
        id: MESSAGE.parse().expect("an id"),
        tenant: tenant(),
        call: call(),
        recipient: Some("Sam".to_owned()),
        from: Contact { name: Some("Alma Strowger".into()), number: Some(number()) },
        text: "Please use the short scissors.".into(),
        urgency: Urgency::Urgent,
        taken_at: at("2026-03-27T18:00:55Z"),
    }
}

fn events() -> Vec<CallEvent> {
    let said = |speaker, text: &str, interrupted, confidence| CallEventKind::Said {
        speaker,
        text: text.into(),
        interrupted,
        confidence,
    };
    let kinds = [
        (3, CallEventKind::Answered),
        (3_100, said(Speaker::Receptionist, "Thank you for calling Fleet Street", true, None)),
        (5_200, said(Speaker::Caller, "i'd like a haircut on monday at ten", false, Some(0.87))),
        (
            5_210,
            CallEventKind::ToolCalled {
                step: ToolStep(0),
                call: ToolCall::Book {
                    slot: slot(),
                    contact: Contact { name: Some("Alma Strowger".into()), number: Some(number()) },
                },
            },
        ),
        (
            5_222,
            CallEventKind::ToolAnswered {
                step: ToolStep(0),
                outcome: ToolOutcome::Booked { booking: booking() },
                took_ms: 12,
            },
        ),
        (9_000, said(Speaker::Receptionist, "That is booked.", false, None)),
        (30_000, CallEventKind::Digits { digits: "0".into() }),
        (31_000, CallEventKind::Transfer { to: "the shop".to_owned(), status: 0 }),
        (40_000, CallEventKind::Transfer { to: "the shop".to_owned(), status: 486 }),
        (50_000, CallEventKind::Held { held: true }),
        (55_000, CallEventKind::Trouble { what: "the recogniser failed; a new one is awaited".to_owned() }),
        (
            65_000,
            CallEventKind::Ended {
                outcome: Outcome { result: CallResult::Success, reason: EndReason::CallerHungUp },
            },
        ),
    ];
    (0..).zip(kinds).map(|(seq, (at, kind))| CallEvent { seq, at: CallTime::from_ms(at), kind }).collect()
}
