//! Rate limits.

use super::*;
use crate::storage::coordination::{Rate, Spent};

/// One in ten seconds, five at once: nothing comes back while a test runs.
const SLOW: Rate = Rate { requests: 1, period_ms: 10_000, burst: 5 };

pub(in crate::storage) async fn a_burst_and_then_the_rate(shared: Shared) {
    for left in [4, 3, 2, 1, 0] {
        // What runs out while the test runs comes back late, never early.
        assert_eq!(shared.spend("texts", SLOW).await, Ok(Spent::Allowed { left }));
    }
    for _ in 0..2 {
        match shared.spend("texts", SLOW).await {
            Ok(Spent::Limited { retry_ms }) => assert!((5_000..=10_000).contains(&retry_ms), "{retry_ms}"),
            other => panic!("{other:?}"),
        }
    }
}

pub(in crate::storage) async fn a_limit_told_to_wait_is_allowed_then(shared: Shared) {
    let rate = Rate { requests: 2, period_ms: 1_000, burst: 1 };
    assert_eq!(shared.spend("texts", rate).await, Ok(Spent::Allowed { left: 0 }));
    for _ in 0..2 {
        let Ok(Spent::Limited { retry_ms }) = shared.spend("texts", rate).await else { panic!("allowed") };
        assert!((1..=500).contains(&retry_ms), "{retry_ms}");
        tokio::time::sleep(Duration::from_millis(retry_ms + 2)).await;
        assert_eq!(shared.spend("texts", rate).await, Ok(Spent::Allowed { left: 0 }));
    }
}

pub(in crate::storage) async fn limits_are_apart(shared: Shared) {
    let rate = Rate { burst: 1, ..SLOW };
    for limit in ["", "a", "{a}", "}a{"] {
        assert_eq!(shared.spend(limit, rate).await, Ok(Spent::Allowed { left: 0 }), "{limit:?}");
        assert!(matches!(shared.spend(limit, rate).await, Ok(Spent::Limited { .. })), "{limit:?}");
    }
}

pub(in crate::storage) async fn of_sixty_four_at_once_exactly_the_burst_is_allowed(shared: Shared) {
    let rate = Rate { requests: 1, period_ms: 60_000, burst: 11 };
    let answers = at_once(|_| {
        let shared = shared.clone();
        async move { shared.spend("texts", rate).await }
    })
    .await;
    let allowed = answers.iter().filter(|answer| matches!(answer, Ok(Spent::Allowed { .. }))).count();
    let limited = answers.iter().filter(|answer| matches!(answer, Ok(Spent::Limited { .. }))).count();
    assert_eq!((allowed, limited), (11, 53), "{answers:?}");
}
