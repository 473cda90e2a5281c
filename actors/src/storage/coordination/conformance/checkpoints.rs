//! The states of live calls.

use super::*;
use crate::storage::coordination::CheckpointWrite::{Stale, Written};
use crate::storage::coordination::{Error, VersionedState};

pub(in crate::storage) async fn a_newer_state_replaces_and_an_older_one_does_not(shared: Shared) {
    assert_eq!(shared.checkpoint(call(1)).await, Ok(None));
    assert_eq!(shared.put_checkpoint(call(1), 5, b"five", LONG_MS).await, Ok(Written));
    assert_eq!(shared.put_checkpoint(call(1), 4, b"four", LONG_MS).await, Ok(Stale { kept: 5 }));
    assert_eq!(shared.put_checkpoint(call(1), 12, b"twelve", LONG_MS).await, Ok(Written));
    assert_eq!(shared.put_checkpoint(call(1), 6, b"six", LONG_MS).await, Ok(Stale { kept: 12 }));
    let kept = VersionedState { version: 12, state: b"twelve".to_vec() };
    assert_eq!(shared.checkpoint(call(1)).await, Ok(Some(kept)));
    assert_eq!(shared.checkpoint(call(2)).await, Ok(None));
}

pub(in crate::storage) async fn the_same_version_again_is_the_same_write(shared: Shared) {
    for state in [b"one", b"two"] {
        assert_eq!(shared.put_checkpoint(call(1), 3, state, LONG_MS).await, Ok(Written));
        let kept = VersionedState { version: 3, state: state.to_vec() };
        assert_eq!(shared.checkpoint(call(1)).await, Ok(Some(kept)));
    }
}

pub(in crate::storage) async fn of_many_writers_the_newest_wins(shared: Shared) {
    let answers = at_once(|index| {
        let shared = shared.clone();
        let version = index as u64;
        async move { shared.put_checkpoint(call(1), version, &version.to_be_bytes(), LONG_MS).await }
    })
    .await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let kept = VersionedState { version: 63, state: 63_u64.to_be_bytes().to_vec() };
    assert_eq!(shared.checkpoint(call(1)).await, Ok(Some(kept)));
}

pub(in crate::storage) async fn a_state_expires_and_can_be_forgotten(shared: Shared) {
    shared.put_checkpoint(call(1), 9, b"short", SHORT_MS).await.expect("kept");
    shared.put_checkpoint(call(2), 9, b"long", LONG_MS).await.expect("kept");
    for _ in 0..2 {
        shared.drop_checkpoint(call(2), 0, SHORT_MS).await.expect("forgotten");
        assert_eq!(shared.checkpoint(call(2)).await, Ok(None));
    }
    short_life().await;
    for gone in [1, 2] {
        assert_eq!(shared.checkpoint(call(gone)).await, Ok(None));
        assert_eq!(shared.put_checkpoint(call(gone), 1, b"new", LONG_MS).await, Ok(Written));
    }
}

/// A process that was frozen goes on: it is further in the call than its successor, and of an earlier claim.
pub(in crate::storage) async fn whoever_lost_a_call_keeps_no_state_of_it(shared: Shared) {
    let by = VersionedState::version_of;
    assert_eq!(shared.put_checkpoint(call(1), by(0, 70), b"frozen", LONG_MS).await, Ok(Written));
    assert_eq!(shared.put_checkpoint(call(1), by(1, 3), b"successor", LONG_MS).await, Ok(Written));
    let stale = Ok(Stale { kept: by(1, 3) });
    assert_eq!(shared.put_checkpoint(call(1), by(0, 90), b"thawed", LONG_MS).await, stale);
    shared.drop_checkpoint(call(1), 0, LONG_MS).await.expect("answered");
    let kept = VersionedState { version: by(1, 3), state: b"successor".to_vec() };
    assert_eq!(shared.checkpoint(call(1)).await, Ok(Some(kept)));
    shared.drop_checkpoint(call(1), 1, LONG_MS).await.expect("forgotten");
    for claim in [0, 1] {
        let late = shared.put_checkpoint(call(1), by(claim, 90), b"late", LONG_MS).await;
        assert_eq!(late, Ok(Stale { kept: VersionedState::last_of(1) }));
        assert_eq!(shared.checkpoint(call(1)).await, Ok(None));
    }
    assert_eq!(shared.put_checkpoint(call(1), by(2, 0), b"next", LONG_MS).await, Ok(Written));
}

pub(in crate::storage) async fn a_state_is_any_bytes_up_to_its_bound(shared: Shared) {
    let bytes: Vec<u8> = (0..1_000_u32).map(|index| index.to_le_bytes()[0]).collect();
    let version = (1 << 53) - 1;
    assert_eq!(shared.put_checkpoint(call(1), version, &bytes, LONG_MS).await, Ok(Written));
    let large = shared.put_checkpoint(call(1), version, &vec![0; 1_001], LONG_MS).await;
    assert!(matches!(large, Err(Error::Refused { .. })), "{large:?}");
    assert_eq!(shared.checkpoint(call(1)).await, Ok(Some(VersionedState { version, state: bytes })));
    assert_eq!(shared.put_checkpoint(call(2), 1, b"", LONG_MS).await, Ok(Written));
    let empty = VersionedState { version: 1, state: Vec::new() };
    assert_eq!(shared.checkpoint(call(2)).await, Ok(Some(empty)));
}
