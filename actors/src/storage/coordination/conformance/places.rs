//! A tenant's places.

use super::*;
use crate::storage::coordination::Admission::{Full, Granted};

pub(in crate::storage) async fn a_tenant_has_as_many_places_as_its_limit(shared: Shared) {
    let barbers = tenant("barbers");
    assert_eq!(shared.places_taken(&barbers).await, Ok(0));
    for number in 1..=3 {
        let answer = shared.admit(&barbers, call(number), 3, LONG_MS).await;
        assert_eq!(answer, Ok(Granted { in_use: u32::try_from(number).expect("few") }));
    }
    assert_eq!(shared.admit(&barbers, call(4), 3, LONG_MS).await, Ok(Full { in_use: 3 }));
    assert_eq!(shared.admit(&barbers, call(4), 4, LONG_MS).await, Ok(Granted { in_use: 4 }), "it was raised");
    assert_eq!(shared.admit(&barbers, call(5), 0, LONG_MS).await, Ok(Full { in_use: 4 }));
}

pub(in crate::storage) async fn a_call_is_counted_once(shared: Shared) {
    let barbers = tenant("barbers");
    for _ in 0..3 {
        assert_eq!(shared.admit(&barbers, call(1), 1, LONG_MS).await, Ok(Granted { in_use: 1 }));
    }
    shared.hold_places(&barbers, &[call(1), call(1)], LONG_MS).await.expect("held");
    assert_eq!(shared.places_taken(&barbers).await, Ok(1));
}

pub(in crate::storage) async fn a_place_that_is_left_is_free(shared: Shared) {
    let barbers = tenant("barbers");
    shared.admit(&barbers, call(1), 1, LONG_MS).await.expect("answered");
    shared.leave(&barbers, call(2)).await.expect("it has none");
    assert_eq!(shared.admit(&barbers, call(2), 1, LONG_MS).await, Ok(Full { in_use: 1 }));
    for _ in 0..2 {
        shared.leave(&barbers, call(1)).await.expect("left");
    }
    assert_eq!(shared.admit(&barbers, call(2), 1, LONG_MS).await, Ok(Granted { in_use: 1 }));
}

pub(in crate::storage) async fn a_place_that_is_forgotten_frees_itself(shared: Shared) {
    let barbers = tenant("barbers");
    shared.admit(&barbers, call(1), 2, SHORT_MS).await.expect("answered");
    shared.admit(&barbers, call(2), 2, LONG_MS).await.expect("answered");
    assert_eq!(shared.admit(&barbers, call(3), 2, LONG_MS).await, Ok(Full { in_use: 2 }));
    short_life().await;
    assert_eq!(shared.places_taken(&barbers).await, Ok(1));
    assert_eq!(shared.admit(&barbers, call(3), 2, LONG_MS).await, Ok(Granted { in_use: 2 }));
}

pub(in crate::storage) async fn a_place_that_is_held_stays(shared: Shared) {
    let barbers = tenant("barbers");
    for number in [1, 2] {
        shared.admit(&barbers, call(number), 2, SHORT_MS).await.expect("answered");
    }
    shared.hold_places(&barbers, &[call(1)], LONG_MS).await.expect("held");
    shared.hold_places(&barbers, &[], LONG_MS).await.expect("nothing to hold");
    short_life().await;
    assert_eq!(shared.places_taken(&barbers).await, Ok(1));
}

pub(in crate::storage) async fn calls_under_way_are_counted_above_the_limit(shared: Shared) {
    let barbers = tenant("barbers");
    // More than any batch has.
    let calls: Vec<_> = (1..=300).map(call).collect();
    shared.hold_places(&barbers, &calls, LONG_MS).await.expect("held");
    assert_eq!(shared.places_taken(&barbers).await, Ok(300));
    assert_eq!(shared.admit(&barbers, call(1_000), 2, LONG_MS).await, Ok(Full { in_use: 300 }));
    assert_eq!(shared.admit(&barbers, call(7), 2, LONG_MS).await, Ok(Granted { in_use: 300 }), "it is in");
}

pub(in crate::storage) async fn of_sixty_four_at_once_exactly_the_limit_get_in(shared: Shared) {
    let answers = at_once(|index| {
        let shared = shared.clone();
        async move { shared.admit(&tenant("barbers"), call(index as u128), 37, LONG_MS).await }
    })
    .await;
    let granted = answers.iter().filter(|answer| matches!(answer, Ok(Granted { .. }))).count();
    let full = answers.iter().filter(|answer| **answer == Ok(Full { in_use: 37 })).count();
    assert_eq!((granted, full), (37, 27), "{answers:?}");
}

pub(in crate::storage) async fn tenants_have_their_own_places(shared: Shared) {
    let names = ["", "a", "a}", "{a}", "{", "}", "a:calls", "\u{10ffff}", "a\0b"];
    for name in names {
        let answer = shared.admit(&tenant(name), call(1), 1, LONG_MS).await;
        assert_eq!(answer, Ok(Granted { in_use: 1 }), "{name:?}");
    }
}
