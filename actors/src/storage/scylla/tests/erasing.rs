//! Calls that come in while their business is erased: none is lost, and in the end nothing is left.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::clock::Clock;
use crate::storage::conformance::{at, call, message, uuid};
use crate::storage::{Extent, Page, Part, StoredRow};
use crate::types::{CallId, CallRecord};

/// Erases the business until there is no next step: calls that went on.
async fn erase(store: &Scylla) -> u64 {
    let (mut live, mut after) = (0, None);
    loop {
        let step = store.erase_tenant(&tenant("barbers"), after).await.expect("erased");
        live += step.live;
        after = step.next;
        if after.is_none() {
            return live;
        }
    }
}

/// The business's calls as they are listed, and as they are there.
async fn listed_and_there(store: &Scylla) -> [BTreeSet<CallId>; 2] {
    let (mut listed, mut page) = (BTreeSet::new(), Page::first(100));
    loop {
        let found = store.calls(&tenant("barbers"), page).await.expect("listed");
        listed.extend(found.rows.iter().map(|record| record.id));
        let Some(next) = found.next else { break };
        page = Page { after: Some(next), limit: 100 };
    }
    let (mut there, mut page) = (BTreeSet::new(), Page::first(500));
    loop {
        let found = store.export(Part::Calls, page).await.expect("exported");
        there.extend(found.rows.iter().filter_map(|row| match row {
            StoredRow::Call(record) => Some(record.id),
            _ => None,
        }));
        let Some(next) = found.next else { break };
        page = Page { after: Some(next), limit: 500 };
    }
    [listed, there]
}

/// Begins calls, and ends every other one, until it is told to stop: those that go on.
async fn calls_come_in(store: Arc<Scylla>, stop: Arc<AtomicBool>) -> Vec<CallRecord> {
    let (clock, mut open) = (Clock::system(), Vec::new());
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let now = clock.now();
        let begun = CallRecord { started_at: now, ended_at: None, ..call("barbers", number, 0) };
        store.begin_call(&begun).await.expect("written");
        match number % 2 {
            0 => open.push(begun),
            _ => {
                let over = CallRecord { ended_at: Some(now), ..begun };
                store.put_call(&over).await.expect("written");
            }
        }
        tokio::time::sleep(Duration::from_millis(u64::from(number % 7) * 3)).await;
    }
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_calls_that_come_in_while_their_business_is_erased_are_all_listed() {
    let ring = Ring::start(1);
    let settings = Settings { settle_ms: 4_000, ..settings(&ring, "erasing") };
    let store = Arc::new(store(&settings).await);
    let eraser = Scylla::open(&settings).await.expect("another node");
    let stop = Arc::new(AtomicBool::new(false));
    let coming = tokio::spawn(calls_come_in(Arc::clone(&store), Arc::clone(&stop)));
    for _ in 0..3 {
        erase(&eraser).await;
    }
    stop.store(true, Ordering::Relaxed);
    let open = coming.await.expect("no panic");
    println!("{} calls go on", open.len());
    assert!(!open.is_empty());
    let [listed, there] = listed_and_there(&store).await;
    assert_eq!(listed, there);
    assert!(open.iter().all(|record| there.contains(&record.id)), "what goes on stays");
    let found = store.examine().await.expect("read").expect("examined");
    assert_eq!((found.faults_total, found.faults), (0, Vec::new()));
    for record in open {
        let ended_at = Some(record.started_at);
        store.put_call(&CallRecord { ended_at, ..record }).await.expect("written");
    }
    assert_eq!(erase(&eraser).await, 0);
    assert_eq!(listed_and_there(&store).await, [BTreeSet::new(), BTreeSet::new()]);
    let left = everything(&store).await.rows;
    let left: Vec<_> =
        left.iter().filter(|(_, row)| row.windows(7).any(|bytes| bytes == b"barbers")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_what_begins_late_brings_no_erased_call_back_to_cassandra() {
    let ring = Ring::start(1);
    let store = store(&settings(&ring, "late")).await;
    let over = call("barbers", 1, 0);
    let begun = CallRecord { ended_at: None, ..over.clone() };
    store.begin_call(&begun).await.expect("written");
    store.put_call(&over).await.expect("written");
    store.erase_call(over.id, Extent::Everything).await.expect("erased");
    for record in [&begun, &over] {
        store.begin_call(record).await.expect("it changes nothing");
        assert_eq!(store.call(over.id).await, Ok(None));
        assert_eq!(store.calls(&over.tenant, Page::first(9)).await.expect("listed").rows, []);
        assert_eq!(store.open_calls(Page::first(9)).await.expect("listed").rows, []);
    }
    let caller = over.caller.expect("a number");
    let left = everything(&store).await.rows;
    let number = caller.reveal().as_str().as_bytes();
    assert!(left.iter().all(|(_, row)| !row.windows(number.len()).any(|bytes| bytes == number)));
    // Another's entry that leads nowhere, as a process leaves it that died: erasing the business takes it.
    let (place, day) = (super::super::calls::place_of(at(0), uuid(7)), super::super::calls::day_of(at(0)));
    let entry = ("barbers", day, place);
    let put = super::super::cql::Statement::PutCallByDay;
    store.cluster.write(put, entry, Some(at(0).as_microsecond() + 5)).await.expect("written");
    // A message and a call that no listing names.
    let (note, alone) = (message("barbers", 8, 0), call("barbers", 9, 0));
    store.put_message(&note, &key("8/0")).await.expect("kept");
    store.unlist_message(&note).await.expect("unlisted");
    store.put_call(&alone).await.expect("written");
    let (place, day) = (super::super::calls::place(&alone), super::super::calls::day_of(alone.started_at));
    let drop = super::super::cql::Statement::DropCallByDay;
    store.cluster.write(drop, ("barbers", day, place), None).await.expect("dropped");
    erase(&store).await;
    let left = everything(&store).await.rows;
    assert!(left.iter().all(|(_, row)| !row.windows(7).any(|bytes| bytes == b"barbers")), "{left:?}");
}
