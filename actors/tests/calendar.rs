//! The business's own calendar over a store: what is free, what is refused, and that an act happens once.

use std::sync::Arc;

use actors::integrations::calendar::{Calendar, Settings, ToolContext};
use actors::storage::{IdempotencyKey, Memory, Storage};
use actors::types::{
    BookingId, Business, CallId, Contact, PhoneNumber, Private, ResourceId, ServiceId, Slot, ToolCall,
    ToolOutcome, Window,
};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use crate::failing::Failing;
use crate::import::business;

/// A desk: a business, its calendar, a time, and a counter for keys.
struct Desk {
    business: Business,
    store: Arc<dyn Storage>,
    calendar: Calendar,
    now: Timestamp,
    step: u32,
}

impl Desk {
    fn new(name: &str, now: &str) -> Self {
        Self::over(name, now, Arc::new(Memory::new()))
    }

    fn over(name: &str, now: &str, store: Arc<dyn Storage>) -> Self {
        let calendar = Calendar::new(Arc::clone(&store), Settings::default());
        Self { business: business(name), store, calendar, now: time(now), step: 0 }
    }

    async fn ask(&mut self, call: &ToolCall) -> ToolOutcome {
        self.step += 1;
        let key = IdempotencyKey(format!("call/{}", self.step));
        self.ask_with(&key, self.step, call).await
    }

    async fn ask_with(&self, key: &IdempotencyKey, id: u32, call: &ToolCall) -> ToolOutcome {
        let id = uuid::Uuid::from_u128(u128::from(id));
        let context = ToolContext { call: CallId::new(id), now: self.now, new_id: id };
        self.calendar.call(&self.business, key, context, call).await
    }

    async fn find(&mut self, service: &str, with: Option<&str>, from: &str, until: &str) -> Vec<Slot> {
        let call = ToolCall::FindSlots {
            service: ServiceId::new(service),
            resource: with.map(ResourceId::new),
            window: Window { from: time(from), until: time(until) },
            limit: 20,
        };
        match self.ask(&call).await {
            ToolOutcome::Slots { slots } => slots,
            other => panic!("{other:?}"),
        }
    }

    async fn book(&mut self, service: &str, with: &str, start: &str) -> ToolOutcome {
        let call = ToolCall::Book { slot: slot(service, with, start), contact: contact() };
        self.ask(&call).await
    }

    async fn booked(&mut self, service: &str, with: &str, start: &str) -> BookingId {
        match self.book(service, with, start).await {
            ToolOutcome::Booked { booking } => booking.id,
            other => panic!("{other:?}"),
        }
    }

    async fn refused(&mut self, service: &str, with: &str, start: &str) -> String {
        match self.book(service, with, start).await {
            ToolOutcome::Refused { why } => why,
            other => panic!("{other:?}"),
        }
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn slot(service: &str, with: &str, start: &str) -> Slot {
    // The end is wrong on purpose: the calendar knows how long its services take.
    let start = time(start);
    Slot { service: ServiceId::new(service), resource: ResourceId::new(with), start, end: start }
}

fn contact() -> Contact {
    Contact {
        name: Some(Private::from("Ada  Lovelace")),
        number: PhoneNumber::parse("+447700900321").map(Private::new),
    }
}

fn starts(slots: &[Slot]) -> Vec<String> {
    slots.iter().map(|slot| slot.start.to_string()).collect()
}

/// A Monday morning in winter, when London is at UTC.
const MONDAY: &str = "2026-11-23T08:00:00Z";

#[tokio::test]
async fn places_are_within_hours_on_the_grid_and_leave_room_for_the_buffer() {
    let mut desk = Desk::new("barbers.toml", MONDAY);
    let slots = desk.find("haircut", Some("sam"), "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z").await;
    assert_eq!(starts(&slots)[0], "2026-11-23T09:00:00Z", "when the shop opens");
    assert_eq!(starts(&slots)[1], "2026-11-23T09:15:00Z");
    assert_eq!(slots[0].end, time("2026-11-23T09:30:00Z"));
    desk.booked("haircut", "sam", "2026-11-23T09:30:00Z").await;
    let slots = desk.find("haircut", Some("sam"), "2026-11-23T00:00:00Z", "2026-11-23T11:00:00Z").await;
    // 9:00 would run into 9:30 by its buffer of five minutes; 9:30 is taken until 10:05.
    assert_eq!(starts(&slots), ["2026-11-23T10:15:00Z", "2026-11-23T10:30:00Z", "2026-11-23T10:45:00Z"]);
    let last = desk.find("haircut", Some("sam"), "2026-11-23T17:00:00Z", "2026-11-24T00:00:00Z").await;
    assert_eq!(starts(&last).last().map(String::as_str), Some("2026-11-23T17:30:00Z"), "done when it closes");
}

#[tokio::test]
async fn places_respect_notice_closures_own_hours_and_the_horizon() {
    let mut desk = Desk::new("barbers.toml", "2026-11-23T10:10:00Z");
    let slots = desk.find("hot-towel-shave", None, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z").await;
    assert_eq!(starts(&slots)[0], "2026-11-23T11:15:00Z", "an hour's notice, then the grid");
    let marco = desk.find("haircut", Some("marco"), "2026-11-23T12:00:00Z", "2026-11-23T14:30:00Z").await;
    assert_eq!(
        starts(&marco),
        [
            "2026-11-23T12:00:00Z",
            "2026-11-23T12:15:00Z",
            "2026-11-23T12:30:00Z",
            "2026-11-23T14:00:00Z",
            "2026-11-23T14:15:00Z"
        ],
        "his lunch"
    );
    assert_eq!(desk.find("haircut", Some("priya"), "2026-11-23T09:00:00Z", "2026-11-24T00:00:00Z").await, []);
    assert_eq!(desk.find("haircut", None, "2026-12-25T00:00:00Z", "2026-12-29T00:00:00Z").await, []);
    let eve = desk.find("haircut", None, "2026-12-24T12:00:00Z", "2026-12-25T00:00:00Z").await;
    assert_eq!(starts(&eve).last().map(String::as_str), Some("2026-12-24T12:30:00Z"));
    assert_eq!(desk.find("haircut", None, "2027-02-22T00:00:00Z", "2027-06-01T00:00:00Z").await, []);
    assert!(!desk.find("haircut", None, "2027-02-20T00:00:00Z", "2027-06-01T00:00:00Z").await.is_empty());
}

#[tokio::test]
async fn each_start_is_offered_once_with_whom_has_least_to_do() {
    let mut desk = Desk::new("barbers.toml", "2026-11-24T08:00:00Z");
    let (from, until) = ("2026-11-25T10:00:00Z", "2026-11-25T12:00:00Z");
    let first = desk.find("haircut", None, from, until).await;
    assert_eq!(first[0].resource.as_str(), "sam", "the first in the file, where all are idle");
    assert!(first.windows(2).all(|pair| pair[0].start < pair[1].start));
    desk.booked("haircut", "sam", "2026-11-25T15:00:00Z").await;
    assert_eq!(desk.find("haircut", None, from, until).await[0].resource.as_str(), "priya");
    desk.booked("haircut-and-beard", "priya", "2026-11-25T15:00:00Z").await;
    assert_eq!(desk.find("haircut", None, from, until).await[0].resource.as_str(), "marco");
}

#[tokio::test]
async fn days_on_which_the_clock_changes_have_the_hours_they_have() {
    let mut desk = Desk::new("plumber.toml", "2026-10-20T08:00:00Z");
    desk.business.hours.exceptions.clear();
    for day in [date(2026, 10, 23), date(2026, 10, 25)] {
        let hours = actors::types::OpeningHours {
            from: jiff::civil::time(0, 0, 0, 0),
            until: jiff::civil::time(4, 0, 0, 0),
        };
        desk.business.hours.week.insert(day.weekday().into(), vec![hours]);
    }
    // Sunday the 25th has the hour from one to two twice: five hours lie between midnight and four.
    let slots = desk.find("repair", None, "2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z").await;
    assert_eq!(starts(&slots)[0], "2026-10-24T23:00:00Z", "midnight in summer time");
    assert_eq!(starts(&slots).last().map(String::as_str), Some("2026-10-25T03:00:00Z"));
    assert_eq!(slots.len(), 17);
    desk.now = time("2026-03-27T08:00:00Z");
    // On 29 March the clock goes from one to two: three hours lie between midnight and four.
    let slots = desk.find("repair", None, "2026-03-28T22:00:00Z", "2026-03-29T12:00:00Z").await;
    assert_eq!((slots.len(), starts(&slots)[8].as_str()), (9, "2026-03-29T02:00:00Z"));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_in_words_for_the_caller() {
    let mut desk = Desk::new("barbers.toml", "2026-11-23T10:00:00Z");
    for (service, with, start, why) in [
        ("massage", "sam", "2026-11-24T10:00:00Z", "We don't offer that."),
        ("hot-towel-shave", "priya", "2026-11-24T10:00:00Z", "Priya is not available for that."),
        ("haircut", "nobody", "2026-11-24T10:00:00Z", "There is nobody here for that."),
        ("haircut", "sam", "2026-11-23T09:00:00Z", "That time has passed."),
        ("haircut", "sam", "2026-11-23T10:15:00Z", "That has to be booked at least 30 minutes ahead."),
        ("hot-towel-shave", "sam", "2026-11-23T10:45:00Z", "That has to be booked at least 1 hour ahead."),
        ("haircut", "sam", "2027-03-22T10:00:00Z", "We only take appointments up to 90 days ahead."),
        ("haircut", "sam", "2026-11-29T10:00:00Z", "We are closed then."),
        ("haircut", "sam", "2026-11-24T17:45:00Z", "There is not enough time for that before we close."),
        ("haircut", "priya", "2026-11-26T10:00:00Z", "Priya is not available then."),
    ] {
        assert_eq!(desk.refused(service, with, start).await, why, "{service} with {with} at {start}");
    }
    // Any minute within the hours may be asked for, on the grid or not.
    desk.booked("haircut", "sam", "2026-11-24T10:10:00Z").await;
}

#[tokio::test]
async fn a_taken_place_brings_the_nearest_others() {
    let mut desk = Desk::new("barbers.toml", MONDAY);
    for who in ["sam", "marco"] {
        desk.booked("haircut", who, "2026-11-23T11:00:00Z").await;
    }
    match desk.book("haircut", "sam", "2026-11-23T11:15:00Z").await {
        ToolOutcome::SlotTaken { alternatives } => {
            assert_eq!(
                starts(&alternatives),
                ["2026-11-23T10:15:00Z", "2026-11-23T11:45:00Z", "2026-11-23T12:00:00Z"]
            );
        }
        other => panic!("{other:?}"),
    }
    // Where somebody else is free at that very time, that is the nearest.
    match desk.book("haircut", "sam", "2026-11-23T10:45:00Z").await {
        ToolOutcome::SlotTaken { alternatives } => assert_eq!(alternatives.len(), 3),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_act_happens_once_whenever_it_is_asked_again() {
    let mut desk = Desk::new("barbers.toml", MONDAY);
    let key = IdempotencyKey("call/book".to_owned());
    let call = ToolCall::Book { slot: slot("haircut", "sam", "2026-11-23T09:00:00Z"), contact: contact() };
    let first = desk.ask_with(&key, 101, &call).await;
    assert!(matches!(first, ToolOutcome::Booked { .. }));
    // Asked again with a new identity, long after the time has passed: still the first outcome.
    desk.now = time("2026-12-01T08:00:00Z");
    assert_eq!(desk.ask_with(&key, 102, &call).await, first);
    assert_eq!(
        desk.store
            .bookings(&desk.business.id, time(MONDAY), desk.now, actors::storage::Page::first(9))
            .await
            .unwrap()
            .rows
            .len(),
        1
    );

    // An outcome that changed nothing stays as well, though the place is free by now.
    desk.now = time(MONDAY);
    let taken = desk.booked("haircut", "sam", "2026-11-24T09:00:00Z").await;
    let wanted = ToolCall::Book { slot: slot("haircut", "sam", "2026-11-24T09:00:00Z"), contact: contact() };
    let late = IdempotencyKey("call/late".to_owned());
    let first = desk.ask_with(&late, 107, &wanted).await;
    assert!(matches!(first, ToolOutcome::SlotTaken { .. }));
    let cancel = ToolCall::Cancel { booking: taken };
    let key = IdempotencyKey("call/cancel".to_owned());
    let cancelled = desk.ask_with(&key, 108, &cancel).await;
    assert!(matches!(cancelled, ToolOutcome::Cancelled { .. }));
    assert_eq!(desk.ask_with(&key, 9, &cancel).await, cancelled);
    assert_eq!(desk.ask_with(&late, 10, &wanted).await, first);
    assert!(matches!(desk.ask(&wanted).await, ToolOutcome::Booked { .. }), "asked anew, it is free");
}

#[tokio::test]
async fn moving_and_cancelling_follow_the_appointment() {
    let mut desk = Desk::new("barbers.toml", MONDAY);
    let booking = desk.booked("haircut", "sam", "2026-11-23T11:00:00Z").await;
    desk.booked("haircut", "sam", "2026-11-23T14:00:00Z").await;
    let to = |start: &str| ToolCall::Move { booking, to: slot("haircut", "sam", start) };
    match desk.ask(&to("2026-11-23T14:15:00Z")).await {
        ToolOutcome::SlotTaken { alternatives } => assert!(!alternatives.is_empty()),
        other => panic!("{other:?}"),
    }
    match desk.ask(&to("2026-11-23T11:15:00Z")).await {
        ToolOutcome::Moved { booking } => {
            assert_eq!(booking.version, 2);
            assert_eq!(booking.slot.end, time("2026-11-23T11:45:00Z"));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(desk.ask(&to("2026-11-22T11:15:00Z")).await, ToolOutcome::Refused { .. }));
    let nobody = ToolCall::Cancel { booking: BookingId::new(uuid::Uuid::from_u128(99)) };
    assert_eq!(desk.ask(&nobody).await, ToolOutcome::NotFound);
    let cancel = ToolCall::Cancel { booking };
    assert!(matches!(desk.ask(&cancel).await, ToolOutcome::Cancelled { .. }));
    assert_eq!(desk.ask(&cancel).await, ToolOutcome::NotFound, "cancelled before, under another key");
    assert_eq!(desk.ask(&to("2026-11-23T16:00:00Z")).await, ToolOutcome::NotFound);
    let begun = desk.booked("haircut", "sam", "2026-11-23T11:15:00Z").await;
    desk.now = time("2026-11-23T11:20:00Z");
    assert!(matches!(desk.ask(&ToolCall::Cancel { booking: begun }).await, ToolOutcome::Refused { .. }));
}

#[tokio::test]
async fn a_callers_coming_appointments_are_found_by_number_and_name() {
    let mut desk = Desk::new("barbers.toml", MONDAY);
    desk.booked("haircut", "sam", "2026-11-23T09:00:00Z").await;
    let coming = desk.booked("haircut", "sam", "2026-11-24T09:00:00Z").await;
    let gone = desk.booked("haircut", "sam", "2026-11-25T09:00:00Z").await;
    desk.ask(&ToolCall::Cancel { booking: gone }).await;
    desk.now = time("2026-11-23T12:00:00Z");
    let number = |text: &str| PhoneNumber::parse(text).map(Private::new);
    for (number, name, found) in [
        (number("07700 900321"), None, 1),
        (None, Some("ada lovelace"), 1),
        (number("+447700900321"), Some("ADA Lovelace"), 1),
        (number("+447700900321"), Some("Charles"), 0),
        (number("+447700900999"), None, 0),
    ] {
        let name = name.map(Private::<String>::from);
        match desk.ask(&ToolCall::FindBookings { number, name }).await {
            ToolOutcome::Bookings { bookings } => {
                assert_eq!(bookings.len(), found);
                assert!(bookings.iter().all(|booking| booking.id == coming));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(desk.ask(&ToolCall::FindBookings { number: None, name: None }).await, ToolOutcome::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_callers_who_want_one_place_one_gets_it() {
    let desk = Arc::new(Desk::new("barbers.toml", MONDAY));
    let tasks: Vec<_> = (0..64_u32)
        .map(|number| {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                let call = ToolCall::Book {
                    slot: slot("haircut", "sam", "2026-11-23T11:00:00Z"),
                    contact: contact(),
                };
                desk.ask_with(&IdempotencyKey(format!("{number}/0")), number, &call).await
            })
        })
        .collect();
    let mut booked = 0;
    for task in tasks {
        match task.await.unwrap() {
            ToolOutcome::Booked { .. } => booked += 1,
            ToolOutcome::SlotTaken { alternatives } => assert_eq!(alternatives.len(), 3),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(booked, 1);
}

/// Whatever is offered can be booked, until nothing is left; and then nothing overlaps.
#[tokio::test]
async fn every_place_that_is_offered_can_be_had() {
    let mut desk = Desk::new("clinic.toml", "2026-11-23T09:00:00Z");
    let (from, until) = ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    let mut count = 0;
    while let Some(slot) = desk.find("check-up", None, from, until).await.into_iter().nth(count % 2) {
        let call = ToolCall::Book { slot: slot.clone(), contact: contact() };
        assert!(matches!(desk.ask(&call).await, ToolOutcome::Booked { .. }), "{slot:?}");
        count += 1;
    }
    assert!(count >= 14, "two doctors for eight hours: {count}");
    for doctor in ["dr-patel", "dr-nguyen"] {
        let doctor = ResourceId::new(doctor);
        let spans = desk.store.occupied(&desk.business.id, &doctor, time(from), time(until));
        let spans = spans.await.unwrap();
        assert!(spans.windows(2).all(|pair| pair[0].until <= pair[1].from));
        assert!(
            spans.iter().all(|span| span.until.duration_since(span.from) == SignedDuration::from_mins(40))
        );
    }
}

#[tokio::test]
async fn a_store_that_fails_is_never_taken_for_a_booking() {
    let store = Arc::new(Failing::new(Memory::new()));
    let mut desk = Desk::over("barbers.toml", MONDAY, store.clone());
    let call = ToolCall::Book { slot: slot("haircut", "sam", "2026-11-23T11:00:00Z"), contact: contact() };
    let key = IdempotencyKey("call/0".to_owned());
    store.fail_before();
    assert!(matches!(desk.ask_with(&key, 1, &call).await, ToolOutcome::Failed { .. }));
    // The write is made, and its confirmation lost: nobody knows, and asking again finds it.
    store.fail_after();
    assert!(matches!(desk.ask_with(&key, 2, &call).await, ToolOutcome::Unknown { .. }));
    store.work();
    match desk.ask_with(&key, 3, &call).await {
        ToolOutcome::Booked { booking } => assert_eq!(booking.id, BookingId::new(uuid::Uuid::from_u128(2))),
        other => panic!("{other:?}"),
    }
    desk.business.time_zone = "Nowhere/Land".to_owned();
    assert!(matches!(desk.ask(&call).await, ToolOutcome::Failed { .. }));
}
