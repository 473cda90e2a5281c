//! The directory of calls.

use jiff::Timestamp;

use super::*;
use crate::storage::coordination::LiveCall;

fn live(number: u128, on: &str) -> LiveCall {
    LiveCall {
        call: call(number),
        node: node(on),
        tenant: tenant("barbers"),
        since: Timestamp::from_millisecond(1_700_000_000_123).expect("in range"),
    }
}

pub(in crate::storage) async fn a_call_is_found_where_it_was_put(shared: Shared) {
    assert_eq!(shared.live_call(call(1)).await, Ok(None));
    assert_eq!(shared.put_calls(&[live(1, "a"), live(2, "a")], LONG_MS).await, Ok(vec![]));
    assert_eq!(shared.live_call(call(1)).await, Ok(Some(live(1, "a"))));
    assert_eq!(shared.live_call(call(2)).await, Ok(Some(live(2, "a"))));
    assert_eq!(shared.live_call(call(3)).await, Ok(None));
}

pub(in crate::storage) async fn an_entry_expires_unless_it_is_put_again(shared: Shared) {
    shared.put_calls(&[live(1, "a"), live(2, "a")], SHORT_MS).await.expect("put");
    shared.put_calls(&[live(1, "a")], LONG_MS).await.expect("put");
    short_life().await;
    assert_eq!(shared.live_call(call(1)).await, Ok(Some(live(1, "a"))));
    assert_eq!(shared.live_call(call(2)).await, Ok(None));
    assert_eq!(shared.calls_of(&node("a"), 10).await, Ok(vec![live(1, "a")]));
    assert_eq!(shared.put_calls(&[live(2, "b")], LONG_MS).await, Ok(vec![]), "nobody has it any more");
}

pub(in crate::storage) async fn another_node_s_call_stays_its_own(shared: Shared) {
    shared.put_calls(&[live(1, "a")], LONG_MS).await.expect("put");
    let others = shared.put_calls(&[live(1, "b"), live(2, "b")], LONG_MS).await;
    assert_eq!(others, Ok(vec![call(1)]));
    assert_eq!(shared.live_call(call(1)).await, Ok(Some(live(1, "a"))));
    shared.remove_call(call(1), &node("b")).await.expect("not its own");
    assert_eq!(shared.live_call(call(1)).await, Ok(Some(live(1, "a"))));
}

pub(in crate::storage) async fn a_node_s_calls_are_listed(shared: Shared) {
    let calls: Vec<_> = (1..=200).map(|number| live(number, "a")).collect();
    shared.put_calls(&calls, LONG_MS).await.expect("put");
    shared.put_calls(&[live(500, "b")], LONG_MS).await.expect("put");
    let mut listed = shared.calls_of(&node("a"), 1_000).await.expect("listed");
    listed.sort_by_key(|live| live.call);
    assert_eq!(listed, calls);
    assert_eq!(shared.calls_of(&node("a"), 7).await.expect("listed").len(), 7);
    assert_eq!(shared.calls_of(&node("b"), 7).await, Ok(vec![live(500, "b")]));
    assert_eq!(shared.calls_of(&node("c"), 7).await, Ok(vec![]));
}

pub(in crate::storage) async fn a_removed_call_is_gone_with_its_state(shared: Shared) {
    shared.put_calls(&[live(1, "a")], LONG_MS).await.expect("put");
    shared.put_checkpoint(call(1), 1, b"state", LONG_MS).await.expect("kept");
    for _ in 0..2 {
        shared.remove_call(call(1), &node("a")).await.expect("removed");
        assert_eq!(shared.live_call(call(1)).await, Ok(None));
        assert_eq!(shared.checkpoint(call(1)).await, Ok(None));
        assert_eq!(shared.calls_of(&node("a"), 7).await, Ok(vec![]));
    }
}

pub(in crate::storage) async fn a_dead_node_s_call_is_claimed_by_one(shared: Shared) {
    shared.put_calls(&[live(1, "dead"), live(2, "dead")], LONG_MS).await.expect("put");
    shared.put_checkpoint(call(1), 7, b"state", LONG_MS).await.expect("kept");
    let claimed = at_once(|index| {
        let shared = shared.clone();
        async move { shared.claim_call(call(1), &node("dead"), &node(&index.to_string()), LONG_MS).await }
    })
    .await;
    let winners: Vec<_> = (0..64).filter(|index| claimed[*index] == Ok(true)).collect();
    assert_eq!(winners.len(), 1, "{claimed:?}");
    let winner = winners[0].to_string();
    assert_eq!(shared.live_call(call(1)).await, Ok(Some(live(1, &winner))));
    assert_eq!(shared.calls_of(&node(&winner), 7).await, Ok(vec![live(1, &winner)]));
    assert_eq!(shared.calls_of(&node("dead"), 7).await, Ok(vec![live(2, "dead")]));
    assert_eq!(shared.put_calls(&[live(1, "dead")], LONG_MS).await, Ok(vec![call(1)]), "it was not dead");
    assert_eq!(shared.checkpoint(call(1)).await.expect("read").expect("is there").version, 7);
    assert_eq!(shared.claim_call(call(9), &node("dead"), &node("a"), LONG_MS).await, Ok(false));
}
