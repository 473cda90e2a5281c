//! Calls, events and checkpoints.

use super::*;
use crate::storage::{Cursor, Listing, Page};
use crate::types::{CallId, CallRecord, Private};

async fn pages(store: &Store, owner: &str, limit: usize) -> Vec<CallId> {
    let (mut ids, mut page) = (Vec::new(), Page::first(limit));
    loop {
        let Listing { rows, next } = store.calls(&tenant(owner), page).await.expect("listed");
        assert!(rows.len() <= limit);
        ids.extend(rows.iter().map(|row| row.id));
        match next {
            Some(next) => page = Page { after: Some(next), limit },
            None => return ids,
        }
    }
}

fn id(number: u32) -> CallId {
    CallId::new(uuid(number))
}

pub(crate) async fn a_call_is_read_as_it_was_last_written(store: Store) {
    let mut record = call("barbers", 1, 0);
    assert_eq!(store.call(record.id).await, Ok(None));
    store.put_call(&record).await.expect("written");
    assert_eq!(store.call(record.id).await, Ok(Some(record.clone())));
    record.sip_status = 603;
    record.summary = Private::from("Changed.");
    store.put_call(&record).await.expect("written");
    assert_eq!(store.call(record.id).await, Ok(Some(record)));
    assert_eq!(pages(&store, "barbers", 10).await.len(), 1);
}

pub(crate) async fn calls_are_listed_newest_first_in_pages(store: Store) {
    for (number, minute) in [(1, 5), (2, 9), (3, 7), (4, 7), (5, -2_000_000)] {
        store.put_call(&call("barbers", number, minute)).await.expect("written");
    }
    let expected = [2, 3, 4, 1, 5].map(id);
    for limit in 1..=6 {
        assert_eq!(pages(&store, "barbers", limit).await, expected, "{limit} at a time");
    }
    let none = store.calls(&tenant("nobody"), Page::first(5)).await.expect("listed");
    assert_eq!(none, Listing { rows: Vec::new(), next: None });
}

pub(crate) async fn a_cursor_stays_true_while_calls_come_in(store: Store) {
    for number in 0..10 {
        store.put_call(&call("barbers", number, i64::from(number) * 10)).await.expect("written");
    }
    let (mut ids, mut page, mut more) = (Vec::new(), Page::first(3), 100);
    loop {
        let Listing { rows, next } = store.calls(&tenant("barbers"), page).await.expect("listed");
        ids.extend(rows.iter().map(|row| row.id));
        // Newer calls, and one among those that are still to come.
        for minute in [500, 1] {
            store.put_call(&call("barbers", more, minute)).await.expect("written");
            more += 1;
        }
        match next {
            Some(next) => page = Page { after: Some(next), limit: 3 },
            None => break,
        }
    }
    let old: Vec<CallId> = ids.iter().copied().filter(|seen| *seen < id(100)).collect();
    assert_eq!(old, (0..10).rev().map(id).collect::<Vec<_>>(), "each once, none left out");
    ids.sort();
    ids.dedup();
    assert!(ids.iter().filter(|seen| **seen >= id(100)).count() <= 4, "none of the newer ones twice");
}

pub(crate) async fn a_cursor_is_checked(store: Store) {
    for text in ["x", "zz", "é", "0"] {
        let page = Page { after: Some(Cursor(text.to_owned())), limit: 5 };
        assert!(store.calls(&tenant("barbers"), page).await.is_err(), "{text}");
    }
    // One from another business shows nothing of that business.
    for number in 0..4 {
        store.put_call(&call(["barbers", "clinic"][number as usize % 2], number, 0)).await.expect("written");
    }
    let cursor = store.calls(&tenant("barbers"), Page::first(1)).await.expect("listed").next;
    let rows = store.calls(&tenant("clinic"), Page { after: cursor, limit: 9 }).await.expect("listed").rows;
    assert!(rows.iter().all(|row| row.tenant == tenant("clinic")));
}

pub(crate) async fn callers_have_their_own_listing(store: Store) {
    for number_of in 0..6 {
        let mut record = call("barbers", number_of, i64::from(number_of));
        record.caller = match number_of % 3 {
            0 => None,
            1 => Some(Private::new(number("+447700900001"))),
            _ => Some(Private::new(number("+4477009000012"))),
        };
        store.put_call(&record).await.expect("written");
    }
    let caller = Private::new(number("+447700900001"));
    let found = store.calls_by_caller(&tenant("barbers"), &caller, Page::first(9)).await.expect("listed");
    assert_eq!(found.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id(4), id(1)]);
    let first = store.calls_by_caller(&tenant("barbers"), &caller, Page::first(1)).await.expect("listed");
    let page = Page { after: first.next, limit: 5 };
    let second = store.calls_by_caller(&tenant("barbers"), &caller, page).await.expect("listed");
    assert_eq!(second.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id(1)]);
    let other = store.calls_by_caller(&tenant("clinic"), &caller, Page::first(9)).await.expect("listed");
    assert_eq!(other.rows, []);
}

pub(crate) async fn a_call_whose_times_or_caller_change_is_listed_once(store: Store) {
    let mut record = call("barbers", 1, 0);
    store.put_call(&record).await.expect("written");
    record.started_at = at(30);
    store.put_call(&record).await.expect("written");
    record.caller = Some(Private::new(number("+447700900002")));
    store.put_call(&record).await.expect("written");
    assert_eq!(pages(&store, "barbers", 10).await, [record.id]);
    let listed = |caller: &'static str| {
        let store = store.clone();
        async move {
            let caller = Private::new(number(caller));
            let found = store.calls_by_caller(&tenant("barbers"), &caller, Page::first(9)).await;
            found.expect("listed").rows
        }
    };
    assert_eq!(listed("+447700900001").await, []);
    assert_eq!(listed("+447700900002").await, [record]);
}

pub(crate) async fn open_calls_are_those_without_an_end(store: Store) {
    let open = |number, owner| CallRecord { ended_at: None, ..call(owner, number, 0) };
    for record in [open(1, "barbers"), open(2, "clinic"), call("barbers", 3, 0)] {
        store.put_call(&record).await.expect("written");
    }
    let found = store.open_calls(Page::first(9)).await.expect("listed").rows;
    assert_eq!(found, [open(1, "barbers"), open(2, "clinic")]);
    store.put_call(&call("barbers", 1, 0)).await.expect("written");
    let found = store.open_calls(Page::first(9)).await.expect("listed").rows;
    assert_eq!(found, [open(2, "clinic")]);
}

pub(crate) async fn an_event_is_appended_once(store: Store) {
    let (one, other) = (id(1), id(2));
    assert_eq!(store.events(one).await, Ok(Vec::new()));
    store.append_events(one, &[]).await.expect("nothing to do");
    store.append_events(one, &[event(0, "first"), event(1, "second")]).await.expect("appended");
    store.append_events(one, &[event(1, "again"), event(2, "third")]).await.expect("appended");
    store.append_events(other, &[event(0, "other")]).await.expect("appended");
    let expected = vec![event(0, "first"), event(1, "second"), event(2, "third")];
    assert_eq!(store.events(one).await, Ok(expected));
}

pub(crate) async fn events_stay_in_order_whatever_order_they_come_in(store: Store) {
    let tasks: Vec<_> = [300_u32, 2, 70_000, 0, 255, 256]
        .into_iter()
        .map(|seq| {
            let store = store.clone();
            tokio::spawn(async move { store.append_events(id(1), &[event(seq, "x")]).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("appended");
    }
    let order: Vec<u32> = store.events(id(1)).await.expect("read").iter().map(|event| event.seq).collect();
    assert_eq!(order, [0, 2, 255, 256, 300, 70_000]);
}

pub(crate) async fn a_clock_that_goes_back_loses_nothing(store: Store) {
    // An hour back in the middle, then the same minute again: all are there, each once, by their own times.
    for (number, minute) in [(1, 100), (2, 101), (3, 41), (4, 42), (5, 101)] {
        store.put_call(&call("barbers", number, minute)).await.expect("written");
        store
            .put_message(&message("barbers", number, minute), &key(&number.to_string()))
            .await
            .expect("kept");
    }
    assert_eq!(pages(&store, "barbers", 2).await, [2, 5, 1, 4, 3].map(id));
    let messages = store.messages(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    assert_eq!(messages.len(), 5);
}

pub(crate) async fn tenants_see_their_own_calls_only(store: Store) {
    for (number, owner) in [(1, "a"), (2, "a-b"), (3, "ab"), (4, "a")] {
        store.put_call(&call(owner, number, i64::from(number))).await.expect("written");
    }
    assert_eq!(pages(&store, "a", 1).await, [id(4), id(1)]);
    assert_eq!(pages(&store, "a-b", 1).await, [id(2)]);
    assert_eq!(pages(&store, "", 1).await, []);
}

pub(crate) async fn a_checkpoint_replaces_the_one_before(store: Store) {
    assert_eq!(store.checkpoint(id(1)).await, Ok(None));
    let by = fence(0);
    store.put_checkpoint(id(1), by, b"one").await.expect("kept");
    store.put_checkpoint(id(2), by, b"").await.expect("kept");
    store.put_checkpoint(id(1), by, b"two").await.expect("kept");
    assert_eq!(store.checkpoint(id(1)).await, Ok(Some(b"two".to_vec())));
    store.drop_checkpoint(id(1), by).await.expect("dropped");
    store.drop_checkpoint(id(1), by).await.expect("dropped before");
    assert_eq!(store.checkpoint(id(1)).await, Ok(None));
    assert_eq!(store.checkpoint(id(2)).await, Ok(Some(Vec::new())));
}
