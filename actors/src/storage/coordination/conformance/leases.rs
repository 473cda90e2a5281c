//! Leases and their tokens.

use super::*;
use crate::storage::coordination::{Acquired, Lease};

async fn token(shared: &Shared, lease: &str, owner: &str, ttl_ms: u64) -> u64 {
    match shared.acquire(lease, &node(owner), ttl_ms).await {
        Ok(Acquired::Granted(Lease { token })) => token,
        other => panic!("{other:?}"),
    }
}

pub(in crate::storage) async fn a_lease_has_one_holder(shared: Shared) {
    token(&shared, "timer", "a", LONG_MS).await;
    match shared.acquire("timer", &node("b"), LONG_MS).await {
        Ok(Acquired::Held { by, for_ms }) => {
            assert_eq!(by, node("a"));
            assert!((1..=LONG_MS).contains(&for_ms), "{for_ms}");
        }
        other => panic!("{other:?}"),
    }
    token(&shared, "other", "b", LONG_MS).await;
}

pub(in crate::storage) async fn its_holder_takes_it_again_with_the_same_token(shared: Shared) {
    let first = token(&shared, "timer", "a", SHORT_MS).await;
    assert_eq!(token(&shared, "timer", "a", LONG_MS).await, first);
    short_life().await;
    assert_eq!(shared.renew("timer", &node("a"), first, LONG_MS).await, Ok(true), "it was prolonged");
}

pub(in crate::storage) async fn tokens_grow_from_holder_to_holder(shared: Shared) {
    let mut last = 0;
    for round in 0..20 {
        let owner = node(&(round % 3).to_string());
        let next = token(&shared, "timer", owner.as_str(), LONG_MS).await;
        assert!(next > last, "{next} after {last}");
        assert_eq!(shared.release("timer", &owner, next).await, Ok(true));
        last = next;
    }
    let next = token(&shared, "timer", "a", SHORT_MS).await;
    short_life().await;
    assert!(token(&shared, "timer", "b", LONG_MS).await > next, "after it has lapsed, too");
}

pub(in crate::storage) async fn a_lapsed_lease_is_not_renewed(shared: Shared) {
    let first = token(&shared, "timer", "a", SHORT_MS).await;
    assert_eq!(shared.renew("timer", &node("a"), first, SHORT_MS).await, Ok(true));
    short_life().await;
    assert_eq!(shared.renew("timer", &node("a"), first, LONG_MS).await, Ok(false));
    let second = token(&shared, "timer", "b", LONG_MS).await;
    assert_eq!(shared.renew("timer", &node("a"), first, LONG_MS).await, Ok(false));
    assert_eq!(shared.renew("timer", &node("b"), second, LONG_MS).await, Ok(true));
}

pub(in crate::storage) async fn only_its_holder_gives_it_back(shared: Shared) {
    let held = token(&shared, "timer", "a", LONG_MS).await;
    assert_eq!(shared.release("timer", &node("b"), held).await, Ok(false));
    assert_eq!(shared.release("timer", &node("a"), held - 1).await, Ok(false));
    assert_eq!(shared.renew("timer", &node("a"), held, LONG_MS).await, Ok(true));
    assert_eq!(shared.release("timer", &node("a"), held).await, Ok(true));
    assert_eq!(shared.release("timer", &node("a"), held).await, Ok(false));
    assert_eq!(shared.renew("timer", &node("a"), held, LONG_MS).await, Ok(false));
}

pub(in crate::storage) async fn of_sixty_four_at_once_one_gets_it(shared: Shared) {
    let answers = at_once(|index| {
        let shared = shared.clone();
        async move { shared.acquire("timer", &node(&index.to_string()), LONG_MS).await }
    })
    .await;
    let granted = answers.iter().filter(|answer| matches!(answer, Ok(Acquired::Granted(_)))).count();
    let held = answers.iter().filter(|answer| matches!(answer, Ok(Acquired::Held { .. }))).count();
    assert_eq!((granted, held), (1, 63), "{answers:?}");
}
