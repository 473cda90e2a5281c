//! Who has a call, and who owns what.

use super::*;
use crate::storage::{Claim, Error, Extent, Fence, Owner, Page};
use crate::types::{CallId, CallRecord, Holder, Life};

fn life(node: &str, run: u32) -> Life {
    Life::new(node, uuid(run).to_string())
}

fn held(number: u32, life: &Life) -> CallRecord {
    CallRecord { ended_at: None, held_by: Some(Holder::first(life.clone())), ..call("barbers", number, 0) }
}

fn granted(claim: Claim) -> CallRecord {
    match claim {
        Claim::Granted(record) => *record,
        other => panic!("not granted: {other:?}"),
    }
}

pub(crate) async fn a_call_is_claimed_by_one_of_many(store: Store) {
    let (dead, record) = (life("london", 1), held(1, &life("london", 1)));
    store.put_call(&record).await.expect("written");
    let tasks: Vec<_> = (2..10)
        .map(|run| {
            let (store, dead, call) = (store.clone(), dead.clone(), record.id);
            tokio::spawn(async move { store.claim_call(call, Some(&dead), &life("paris", run)).await })
        })
        .collect();
    let (mut winners, mut holders) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.expect("no panic").expect("answered") {
            Claim::Granted(record) => winners.push(*record),
            Claim::Held(holder) => holders.push(holder),
            Claim::Over => panic!("it goes on"),
        }
    }
    let [winner] = &winners[..] else { panic!("{winners:?}") };
    let by = winner.held_by.clone().expect("held");
    assert_eq!((by.claim, winner), (1, &CallRecord { held_by: Some(by.clone()), ..record.clone() }));
    assert!(holders.iter().all(|holder| *holder == Some(by.clone())), "{holders:?}");
    assert_eq!(store.call(record.id).await, Ok(Some(winner.clone())));
    assert_eq!(store.open_calls(Page::first(9)).await.expect("listed").rows, std::slice::from_ref(winner));
    // Whoever has it has it when it asks again; from it, another may claim it.
    let again = store.claim_call(record.id, Some(&dead), &by.life).await.expect("answered");
    assert_eq!(granted(again), *winner);
    let next = life("rome", 20);
    let third = granted(store.claim_call(record.id, Some(&by.life), &next).await.expect("answered"));
    assert_eq!(third.held_by, Some(Holder { life: next, claim: 2 }));
}

pub(crate) async fn what_is_over_or_unknown_is_not_claimed(store: Store) {
    let (dead, to) = (life("london", 1), life("paris", 2));
    let ended = CallRecord { ended_at: Some(at(1)), ..held(1, &dead) };
    store.put_call(&ended).await.expect("written");
    assert_eq!(store.claim_call(ended.id, Some(&dead), &to).await, Ok(Claim::Over));
    assert_eq!(store.claim_call(CallId::new(uuid(2)), Some(&dead), &to).await, Ok(Claim::Over));
    // One of whom nobody wrote down who has it is claimed from nobody.
    let old = CallRecord { held_by: None, ..held(3, &dead) };
    store.put_call(&old).await.expect("written");
    assert_eq!(store.claim_call(old.id, Some(&dead), &to).await, Ok(Claim::Held(None)));
    let claimed = granted(store.claim_call(old.id, None, &to).await.expect("answered"));
    assert_eq!(claimed.held_by, Some(Holder { life: to, claim: 1 }));
}

pub(crate) async fn whoever_lost_a_call_writes_nothing_of_it(store: Store) {
    let (dead, to) = (life("london", 1), life("london", 2));
    let record = held(1, &dead);
    store.put_call(&record).await.expect("written");
    let mut closed = granted(store.claim_call(record.id, Some(&dead), &to).await.expect("answered"));
    let lost = Err(Error::Conflict { what: "call's holder" });
    assert_eq!(store.put_call(&record).await, lost, "it goes on");
    assert_eq!(
        store.put_call(&CallRecord { ended_at: Some(at(9)), ..record.clone() }).await,
        lost,
        "nor its end"
    );
    closed.ended_at = Some(at(5));
    store.put_call(&closed).await.expect("written");
    assert_eq!(store.put_call(&record).await, lost);
    assert_eq!(store.put_call(&CallRecord { ended_at: Some(at(9)), ..record.clone() }).await, lost);
    // Nor does another process of the same count.
    let other = Some(Holder { life: life("rome", 3), claim: 1 });
    assert_eq!(store.put_call(&CallRecord { held_by: other, ..closed.clone() }).await, lost);
    assert_eq!(store.call(record.id).await, Ok(Some(closed)));
    assert_eq!(store.open_calls(Page::first(9)).await.expect("listed").rows, []);
}

pub(crate) async fn a_call_that_was_claimed_does_not_begin_again(store: Store) {
    let (dead, to) = (life("london", 1), life("london", 2));
    let record = held(1, &dead);
    for _ in 0..2 {
        // Once more where the answer was lost.
        store.begin_call(&record).await.expect("written");
        assert_eq!(store.call(record.id).await, Ok(Some(record.clone())));
        let open = store.open_calls(Page::first(9)).await.expect("listed").rows;
        assert_eq!(open, std::slice::from_ref(&record));
        let listed = store.calls(&record.tenant, Page::first(9)).await.expect("listed").rows;
        assert_eq!(listed, std::slice::from_ref(&record));
        let caller = record.caller.clone().expect("a number");
        let by_caller = store.calls_by_caller(&record.tenant, &caller, Page::first(9)).await.expect("listed");
        assert_eq!(by_caller.rows, std::slice::from_ref(&record));
    }
    let claimed = granted(store.claim_call(record.id, Some(&dead), &to).await.expect("answered"));
    let late = |store: Store, record: CallRecord| async move {
        let answer = store.begin_call(&record).await;
        assert!(matches!(answer, Ok(()) | Err(Error::Conflict { .. })), "{answer:?}");
    };
    late(store.clone(), record.clone()).await;
    assert_eq!(store.call(record.id).await, Ok(Some(claimed.clone())));
    let open = store.open_calls(Page::first(9)).await.expect("listed").rows;
    assert_eq!(open, std::slice::from_ref(&claimed));
    let over = CallRecord { ended_at: Some(at(5)), ..claimed };
    store.put_call(&over).await.expect("written");
    late(store.clone(), record.clone()).await;
    assert_eq!(store.call(record.id).await, Ok(Some(over.clone())));
    assert_eq!(store.open_calls(Page::first(9)).await.expect("listed").rows, []);
    // One that is refused begins with its end.
    let refused = call("barbers", 2, 1);
    store.begin_call(&refused).await.expect("written");
    let listed = store.calls(&refused.tenant, Page::first(9)).await.expect("listed").rows;
    assert_eq!(listed, [refused, over]);
}

pub(crate) async fn whoever_lost_a_call_keeps_no_state_of_it(store: Store) {
    let (frozen, to) = (life("london", 1), life("london", 2));
    let record = held(1, &frozen);
    let (id, first) = (record.id, Fence::of(&record));
    store.put_call(&record).await.expect("written");
    store.put_checkpoint(id, first, b"frozen").await.expect("kept");
    let claimed = granted(store.claim_call(id, Some(&frozen), &to).await.expect("answered"));
    let second = Fence::of(&claimed);
    assert_eq!(store.checkpoint(id).await, Ok(Some(b"frozen".to_vec())), "it is there to go on from");
    store.put_checkpoint(id, second, b"successor").await.expect("kept");
    // It thaws, and has heard of nothing.
    store.put_checkpoint(id, first, b"thawed").await.expect("answered");
    store.drop_checkpoint(id, first).await.expect("answered");
    assert_eq!(store.checkpoint(id).await, Ok(Some(b"successor".to_vec())));
    store.drop_checkpoint(id, second).await.expect("dropped");
    store.put_checkpoint(id, first, b"late").await.expect("answered");
    assert_eq!(store.checkpoint(id).await, Ok(None), "what the successor dropped does not come back");
    let third = granted(store.claim_call(id, Some(&to), &life("rome", 3)).await.expect("answered"));
    store.put_checkpoint(id, Fence::of(&third), b"third").await.expect("kept");
    store.put_checkpoint(id, second, b"late").await.expect("answered");
    assert_eq!(store.checkpoint(id).await, Ok(Some(b"third".to_vec())));
    // Nor does any claim outlive an erasure.
    store.put_call(&CallRecord { ended_at: Some(at(9)), ..third }).await.expect("written");
    assert_eq!(store.erase_call(id, Extent::Everything).await.expect("erased").erased.checkpoints, 1);
    assert_eq!(store.checkpoint(id).await, Ok(None));
}

pub(crate) async fn a_thing_has_one_owner_per_epoch(store: Store) {
    assert_eq!(store.owner("node", "london").await, Ok(None));
    let tasks: Vec<_> = (0..8)
        .map(|who| {
            let store = store.clone();
            tokio::spawn(async move { store.take_ownership("node", "london", &format!("run-{who}")).await })
        })
        .collect();
    let mut owners = Vec::new();
    for task in tasks {
        owners.push(task.await.expect("no panic").expect("answered"));
    }
    owners.sort_by_key(|owner| owner.epoch);
    assert_eq!(owners.iter().map(|owner| owner.epoch).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let last = owners.pop().expect("eight");
    assert_eq!(store.owner("node", "london").await, Ok(Some(last.clone())));
    assert_eq!(store.take_ownership("node", "london", &last.who).await, Ok(last));
    // Things and their kinds have owners of their own.
    let owner = Owner { who: "run-0".to_owned(), epoch: 1 };
    assert_eq!(store.take_ownership("node", "paris", "run-0").await, Ok(owner.clone()));
    assert_eq!(store.take_ownership("shard", "london", "run-0").await, Ok(owner));
}
