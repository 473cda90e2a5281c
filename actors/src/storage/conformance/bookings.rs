//! Appointments: no time is given twice, and every act happens once.

use super::*;
use crate::storage::{BookingWrite, Error, Occupied, Page};
use crate::types::{Booking, ResourceId};

async fn occupied(store: &Store) -> Vec<Occupied> {
    let sam = ResourceId::new("sam");
    store.occupied(&tenant("barbers"), &sam, at(-100_000), at(100_000)).await.expect("read")
}

async fn stored(store: &Store, booking: &Booking) -> Option<Booking> {
    store.booking(&booking.tenant, booking.id).await.expect("read")
}

pub(crate) async fn time_is_given_once(store: Store) {
    let ((one, one_time), (other, other_time)) = (booking(1, 0, 30), booking(2, 15, 30));
    assert_eq!(store.book(&one, &one_time, &key("a/0")).await, Ok(BookingWrite::Written(one.clone())));
    assert_eq!(store.book(&other, &other_time, &key("b/0")).await, Ok(BookingWrite::Taken));
    assert_eq!(stored(&store, &one).await, Some(one.clone()));
    assert_eq!(stored(&store, &other).await, None);
    assert_eq!(store.written(&one.tenant, &key("a/0")).await, Ok(Some(one)));
    assert_eq!(store.written(&other.tenant, &key("b/0")).await, Ok(None));
    assert_eq!(occupied(&store).await, [one_time]);
}

pub(crate) async fn of_sixty_four_at_once_one_gets_the_time(store: Store) {
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let (booking, time) = booking(number, i64::from(number % 7), 30);
                store.book(&booking, &time, &key(&format!("{number}/0"))).await
            })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.expect("no panic").expect("answered") {
            BookingWrite::Written(_) => won += 1,
            other => assert_eq!(other, BookingWrite::Taken),
        }
    }
    assert_eq!((won, occupied(&store).await.len()), (1, 1));
}

/// Many tasks book, move and cancel at random in one day; afterwards the spans are those of the appointments that
/// stand, and none overlap.
pub(crate) async fn overlapping_time_is_never_given_under_any_race(store: Store) {
    let tasks: Vec<_> = (0..16_u32)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut state = u64::from(task) * 7_919 + 1;
                let mut chance = move |below: u64| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33) % below
                };
                let mut own: Option<Booking> = None;
                for step in 0..24 {
                    let idempotency = key(&format!("{task}/{step}"));
                    let minute = i64::try_from(chance(600)).expect("small");
                    let write = match own.take() {
                        None => {
                            let (new, time) = booking(task * 1_000 + step, minute, 30);
                            store.book(&new, &time, &idempotency).await
                        }
                        Some(old) if chance(3) == 0 => store.cancel(&cancelled(&old), &idempotency).await,
                        Some(old) => {
                            let (new, time) = moved(&old, minute);
                            let write = store.rebook(&new, &time, &idempotency).await;
                            own = Some(old);
                            write
                        }
                    };
                    match write.expect("answered") {
                        BookingWrite::Written(booking) if booking.state == BookingState::Confirmed => {
                            own = Some(booking);
                        }
                        BookingWrite::Written(_) => own = None,
                        BookingWrite::Taken => {}
                        BookingWrite::Stale => panic!("nobody else changes it"),
                    }
                }
                own
            })
        })
        .collect();
    let mut standing = Vec::new();
    for task in tasks {
        standing.extend(task.await.expect("no panic"));
    }
    let spans = occupied(&store).await;
    assert!(spans.windows(2).all(|pair| pair[0].until <= pair[1].from), "{spans:?}");
    let mut expected: Vec<Occupied> = standing.iter().map(time_of).collect();
    expected.sort_by_key(|span| span.from);
    assert_eq!(spans, expected);
}

pub(crate) async fn a_buffer_is_occupied_too(store: Store) {
    let ((one, one_time), (other, other_time)) = (booking(1, 0, 30), booking(2, 30, 30));
    written(store.book(&one, &one_time, &key("a/0")).await.expect("answered"));
    assert_eq!(store.book(&other, &other_time, &key("b/0")).await, Ok(BookingWrite::Taken));
}

pub(crate) async fn times_that_touch_do_not_overlap(store: Store) {
    for (number, minute) in [(1, 35), (2, 0), (3, 70)] {
        let (new, time) = booking(number, minute, 30);
        written(store.book(&new, &time, &key(&number.to_string())).await.expect("answered"));
    }
    assert_eq!(occupied(&store).await.len(), 3);
    let sam = ResourceId::new("sam");
    let touching = store.occupied(&tenant("barbers"), &sam, at(20), at(70)).await.expect("read");
    assert_eq!(touching.len(), 2, "the one that reaches in, and the one within");
    assert_eq!(store.occupied(&tenant("barbers"), &sam, at(105), at(200)).await, Ok(Vec::new()));
    assert_eq!(store.occupied(&tenant("barbers"), &sam, at(50), at(50)).await.expect("read").len(), 0);
}

pub(crate) async fn moving_frees_the_old_time(store: Store) {
    let (one, time) = booking(1, 0, 30);
    written(store.book(&one, &time, &key("a/0")).await.expect("answered"));
    let (new, new_time) = moved(&one, 200);
    assert_eq!(written(store.rebook(&new, &new_time, &key("a/1")).await.expect("answered")), new);
    assert_eq!(occupied(&store).await, [new_time]);
    assert_eq!(stored(&store, &one).await, Some(new));
    let (other, time) = booking(2, 0, 30);
    written(store.book(&other, &time, &key("b/0")).await.expect("answered"));
}

pub(crate) async fn moving_may_overlap_its_own_time(store: Store) {
    let (one, time) = booking(1, 0, 30);
    written(store.book(&one, &time, &key("a/0")).await.expect("answered"));
    let (new, new_time) = moved(&one, 10);
    written(store.rebook(&new, &new_time, &key("a/1")).await.expect("answered"));
    let (same, same_time) = moved(&new, 10);
    written(store.rebook(&same, &same_time, &key("a/2")).await.expect("answered"));
    assert_eq!(occupied(&store).await, [same_time]);
}

pub(crate) async fn moving_to_taken_time_changes_nothing(store: Store) {
    let ((one, one_time), (other, other_time)) = (booking(1, 0, 30), booking(2, 60, 30));
    written(store.book(&one, &one_time, &key("a/0")).await.expect("answered"));
    written(store.book(&other, &other_time, &key("b/0")).await.expect("answered"));
    let (new, new_time) = moved(&one, 40);
    assert_eq!(store.rebook(&new, &new_time, &key("a/1")).await, Ok(BookingWrite::Taken));
    assert_eq!(stored(&store, &one).await, Some(one));
    assert_eq!(occupied(&store).await, [one_time, other_time]);
}

pub(crate) async fn a_change_names_the_version_it_changes(store: Store) {
    let (one, time) = booking(1, 0, 30);
    let (new, new_time) = moved(&one, 60);
    assert_eq!(store.rebook(&new, &new_time, &key("a/0")).await, Ok(BookingWrite::Stale), "not there");
    assert_eq!(store.cancel(&cancelled(&one), &key("a/1")).await, Ok(BookingWrite::Stale), "not there");
    written(store.book(&one, &time, &key("a/2")).await.expect("answered"));
    let (mut early, early_time) = moved(&one, 60);
    early.version = 1;
    assert_eq!(store.rebook(&early, &early_time, &key("a/3")).await, Ok(BookingWrite::Stale));
    written(store.rebook(&new, &new_time, &key("a/4")).await.expect("answered"));
    assert_eq!(store.cancel(&cancelled(&one), &key("a/5")).await, Ok(BookingWrite::Stale));
    assert_eq!(store.book(&one, &time, &key("a/6")).await, Ok(BookingWrite::Stale), "it exists");
    assert_eq!(stored(&store, &one).await, Some(new));
    assert_eq!(occupied(&store).await, [new_time]);
}

pub(crate) async fn cancelling_frees_the_time_and_keeps_the_appointment(store: Store) {
    let (one, time) = booking(1, 0, 30);
    written(store.book(&one, &time, &key("a/0")).await.expect("answered"));
    let gone = cancelled(&one);
    assert_eq!(written(store.cancel(&gone, &key("a/1")).await.expect("answered")), gone);
    assert_eq!(occupied(&store).await, []);
    assert_eq!(stored(&store, &one).await, Some(gone.clone()));
    let listed = store.bookings(&one.tenant, at(0), at(1), Page::first(5)).await.expect("listed").rows;
    assert_eq!(listed, [gone]);
    let (other, time) = booking(2, 0, 30);
    written(store.book(&other, &time, &key("b/0")).await.expect("answered"));
}

pub(crate) async fn what_was_cancelled_is_not_moved(store: Store) {
    let (one, time) = booking(1, 0, 30);
    written(store.book(&one, &time, &key("a/0")).await.expect("answered"));
    let gone = cancelled(&one);
    written(store.cancel(&gone, &key("a/1")).await.expect("answered"));
    let (new, new_time) = moved(&gone, 60);
    assert_eq!(store.rebook(&new, &new_time, &key("a/2")).await, Ok(BookingWrite::Stale));
    assert_eq!(store.cancel(&cancelled(&gone), &key("a/3")).await, Ok(BookingWrite::Stale));
    assert_eq!(occupied(&store).await, []);
}

pub(crate) async fn a_key_is_used_once(store: Store) {
    let (one, time) = booking(1, 0, 30);
    let (other, other_time) = booking(2, 300, 30);
    written(store.book(&one, &time, &key("a/0")).await.expect("answered"));
    let again = store.book(&other, &other_time, &key("a/0")).await.expect("answered");
    assert_eq!(written(again), one, "what was written then");
    assert_eq!(occupied(&store).await, std::slice::from_ref(&time));
    let (new, new_time) = moved(&one, 60);
    written(store.rebook(&new, &new_time, &key("a/1")).await.expect("answered"));
    assert_eq!(written(store.rebook(&new, &new_time, &key("a/1")).await.expect("answered")), new);
    let gone = cancelled(&new);
    written(store.cancel(&gone, &key("a/2")).await.expect("answered"));
    assert_eq!(written(store.cancel(&gone, &key("a/2")).await.expect("answered")), gone);
    // Replays of old acts answer as then and change nothing.
    assert_eq!(written(store.book(&one, &time, &key("a/0")).await.expect("answered")), one);
    assert_eq!(stored(&store, &one).await, Some(gone));
    assert_eq!(occupied(&store).await, []);
    let tasks: Vec<_> = (10..40)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let (booking, time) = booking(number, i64::from(number) * 60, 30);
                store.book(&booking, &time, &key("b/0")).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(written(task.await.expect("no panic").expect("answered")));
    }
    answers.dedup();
    assert_eq!((answers.len(), occupied(&store).await.len()), (1, 1), "one act, whoever asks");
}

pub(crate) async fn appointments_are_listed_by_start(store: Store) {
    for (number, minute) in [(1, 120), (2, 0), (3, 60), (4, 180)] {
        let (new, time) = booking(number, minute, 30);
        written(store.book(&new, &time, &key(&number.to_string())).await.expect("answered"));
    }
    let list = |page| {
        let store = store.clone();
        async move { store.bookings(&tenant("barbers"), at(0), at(180), page).await.expect("listed") }
    };
    let starts = |rows: &[Booking]| rows.iter().map(|row| row.slot.start).collect::<Vec<_>>();
    assert_eq!(starts(&list(Page::first(9)).await.rows), [at(0), at(60), at(120)]);
    let first = list(Page::first(2)).await;
    assert_eq!(starts(&first.rows), [at(0), at(60)]);
    let rest = list(Page { after: first.next, limit: 2 }).await;
    assert_eq!((starts(&rest.rows), rest.next), (vec![at(120)], None));
    let (new, time) = moved(&booking(2, 0, 30).0, 240);
    written(store.rebook(&new, &time, &key("move")).await.expect("answered"));
    assert_eq!(starts(&list(Page::first(9)).await.rows), [at(60), at(120)], "no longer where it was");
}

pub(crate) async fn tenants_and_resources_have_their_own_time(store: Store) {
    let (one, time) = booking(1, 0, 30);
    written(store.book(&one, &time, &key("a/0")).await.expect("answered"));
    let (mut other, mut time) = booking(2, 0, 30);
    other.tenant = tenant("clinic");
    written(store.book(&other, &time, &key("a/0")).await.expect("answered"));
    other.tenant = tenant("barbers");
    other.slot.resource = ResourceId::new("samantha");
    time.resource = ResourceId::new("samantha");
    written(store.book(&other, &time, &key("a/9")).await.expect("answered"));
    assert_eq!(occupied(&store).await.len(), 1);
    assert_eq!(store.booking(&tenant("plumber"), one.id).await, Ok(None));
}

pub(crate) async fn an_occupied_span_must_hold_its_appointment(store: Store) {
    let (one, time) = booking(1, 0, 30);
    for wrong in [
        Occupied { until: time.from, ..time.clone() },
        Occupied { until: at(20), ..time.clone() },
        Occupied { resource: ResourceId::new("priya"), ..time.clone() },
        Occupied { booking: booking(2, 0, 30).0.id, ..time.clone() },
    ] {
        let refused = store.book(&one, &wrong, &key("a/0")).await;
        assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    }
    assert_eq!(stored(&store, &one).await, None);
}

use crate::types::BookingState;
