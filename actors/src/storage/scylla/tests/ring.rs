//! Three nodes, three copies: one of them is killed and comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::storage::Page;
use crate::storage::conformance::{call, event, uuid};
use crate::types::{CallId, CallRecord};

const WRITERS: u32 = 6;

/// A call of its own business for each writer.
fn record(writer: u32, number: u32) -> CallRecord {
    call(&format!("business-{writer}"), writer * 100_000 + number, i64::from(number))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_three_cassandras_lose_no_call_when_one_is_killed() {
    let mut ring = Ring::start(3);
    let settings = settings(&ring, "ring");
    let store = Arc::new(store(&settings).await);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(writer, Arc::clone(&store), Arc::clone(&stop))))
        .collect();
    tokio::time::sleep(Duration::from_secs(4)).await;
    ring.kill(1);
    tokio::time::sleep(Duration::from_secs(6)).await;
    tokio::task::block_in_place(|| ring.start_node(1));
    tokio::time::sleep(Duration::from_secs(4)).await;
    stop.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for writer in writers {
        let (calls, failed) = writer.await.expect("no panic");
        acknowledged.push(calls);
        refused += failed;
    }
    let count: usize = acknowledged.iter().map(Vec::len).sum();
    println!("{count} calls acknowledged, {refused} tries failed, around one node of three that was killed");
    assert!(count > 100, "{count}");
    // Another node is away now: what is read lies on the one that was killed and on one that was not.
    ring.kill(2);
    let store = Scylla::open(&settings).await.expect("opened");
    for (writer, numbers) in acknowledged.iter().enumerate() {
        let writer = u32::try_from(writer).expect("few");
        check(&store, writer, numbers).await;
    }
}

async fn write(writer: u32, store: Arc<Scylla>, stop: Arc<AtomicBool>) -> (Vec<u32>, u32) {
    let (mut done, mut failed) = (Vec::new(), 0);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let record = record(writer, number);
        let kept = async {
            store.put_call(&record).await?;
            store.append_events(record.id, &[event(0, "began"), event(1, "ended")]).await
        };
        match kept.await {
            Ok(()) => done.push(number),
            Err(Error::Unavailable { .. } | Error::Unknown { .. }) => failed += 1,
            Err(error) => panic!("{error}"),
        }
        if number % 8 == 0 {
            book_for_sure(&store, writer * 10_000 + number).await;
        }
    }
    (done, failed)
}

async fn check(store: &Scylla, writer: u32, numbers: &[u32]) {
    for number in numbers {
        let record = record(writer, *number);
        let id = CallId::new(uuid(writer * 100_000 + number));
        assert_eq!(store.call(id).await, Ok(Some(record)));
        assert_eq!(store.events(id).await.expect("read").len(), 2);
        if number % 8 == 0 {
            let (new, time) = appointment(writer * 10_000 + number);
            let resource = &time.resource;
            assert_eq!(store.booking(&new.tenant, new.id).await.as_ref(), Ok(&Some(new.clone())));
            let spans = store.occupied(&new.tenant, resource, time.from, time.until).await;
            assert_eq!(spans, Ok(vec![time]));
        }
    }
    let (mut listed, mut page) = (Vec::new(), Page::first(200));
    loop {
        let rows = store.calls(&tenant(&format!("business-{writer}")), page).await.expect("listed");
        listed.extend(rows.rows.iter().map(|row| row.id));
        match rows.next {
            Some(next) => page = Page { after: Some(next), limit: 200 },
            None => break,
        }
    }
    for number in numbers {
        assert!(listed.contains(&CallId::new(uuid(writer * 100_000 + number))), "{number} is listed");
    }
}
