//! Connections that are cut every 50 ms, and slow ones.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::proxy::Proxy;
use super::*;
use crate::storage::conformance::{at, call, event, message, user, uuid};
use crate::storage::{Claim, Fence, Page, Users as _, conformance};
use crate::types::{CallId, CallRecord, Holder, Life, User};

const WRITERS: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_cassandra_over_a_bad_connection_does_everything_once() {
    let ring = Ring::start(1);
    let proxy = Arc::new(Proxy::to(ring.contact_point(0)).await);
    let direct = store(&settings(&ring, "connection")).await;
    let settings = Settings {
        contact_points: vec![proxy.address.to_string()],
        call_path_ms: 400,
        call_path_total_ms: 1_500,
        lwt_ms: 1_000,
        total_ms: 3_000,
        health_ms: 500,
        ..settings(&ring, "connection")
    };
    let store = Arc::new(Scylla::open(&settings).await.expect("opened"));

    // Slow: it works while the deadlines allow it, and fails by them where not.
    proxy.delay(60);
    within(Duration::from_secs(6), store.check()).await.expect("slow, but it works");
    book_for_sure(&store, 100_000).await;
    proxy.delay(5_000);
    in_trouble(within(Duration::from_secs(5), store.call(CallId::new(uuid(1)))).await);
    proxy.delay(0);
    recovered(&store, Duration::from_secs(60)).await;

    a_state_that_comes_late_changes_nothing(&proxy, &store, &direct).await;
    recovered(&store, Duration::from_secs(60)).await;

    let (written, over) = cut_while_writing(&proxy, &store).await;
    println!("{written} writes of {over} writers over connections cut every 50 ms");
    assert!(written >= WRITERS, "each has come through: {written}");
    recovered(&store, Duration::from_secs(60)).await;

    // Seen by another connection, everything is there, once.
    for writer in 0..WRITERS {
        let events = direct.events(CallId::new(uuid(writer))).await.expect("read");
        let expected: Vec<_> =
            (0..u32::try_from(events.len()).expect("few")).map(|seq| event(seq, "x")).collect();
        assert_eq!(events, expected, "none lost, none twice");
    }
    let page = Page::first(1_000);
    let messages = direct.messages(&tenant("barbers"), page).await.expect("listed").rows.len();
    assert_eq!(messages, usize::try_from(written).expect("few"));
    let (from, until) = (jiff::Timestamp::MIN, at(90_000 * 60));
    let sam = crate::types::ResourceId::new("sam");
    let spans = direct.occupied(&tenant("barbers"), &sam, from, until).await.expect("read");
    assert_eq!(spans.len(), messages, "one appointment for each");
    // Somebody has made so many rounds: each of their addresses is one user's.
    for seq in 0..written / WRITERS {
        let holder = direct.user_by_email(&shared(0, seq).email).await.expect("read").expect("somebody's");
        for writer in 0..WRITERS {
            let user = shared(writer, seq);
            let expected = Some(&user).filter(|user| **user == holder).cloned();
            assert_eq!(direct.user(&user.tenant, user.id).await, Ok(expected), "round {seq}");
        }
    }
    let found = direct.examine().await.expect("read").expect("examined");
    assert_eq!((found.faults_total, found.faults), (0, Vec::new()));
}

/// A process stands still for the length of the line: what it wrote of its call arrives after its successor has kept a
/// state, and once more after that one has dropped it. A state of a call that it still has arrives by the same line.
async fn a_state_that_comes_late_changes_nothing(proxy: &Proxy, frozen: &Arc<Scylla>, direct: &Scylla) {
    const LINE_MS: u64 = 3_000;
    let (life, next) = (Life::new("london", "1"), Life::new("london", "2"));
    let of = |number| CallRecord {
        ended_at: None,
        held_by: Some(Holder::first(life.clone())),
        ..call("barbers", number, 0)
    };
    let (lost, own) = (of(700_001), of(700_002));
    for record in [&lost, &own] {
        frozen.put_call(record).await.expect("written");
        frozen.put_checkpoint(record.id, Fence::of(record), b"before").await.expect("kept");
    }
    let write = |record: &CallRecord, state: &'static [u8]| {
        let (store, id, fence) = (Arc::clone(frozen), record.id, Fence::of(record));
        tokio::spawn(async move { store.put_checkpoint(id, fence, state).await })
    };
    let claim = direct.claim_call(lost.id, Some(&life), &next).await.expect("answered");
    let Claim::Granted(claimed) = claim else { panic!("{claim:?}") };
    let second = Fence::of(&claimed);
    for (late, kept) in [(&b"late"[..], Some(b"successor".to_vec())), (b"later", None)] {
        proxy.delay(LINE_MS);
        let writes = [write(&lost, late), write(&own, late)];
        tokio::time::sleep(Duration::from_millis(LINE_MS / 10)).await;
        match &kept {
            Some(state) => direct.put_checkpoint(lost.id, second, state).await.expect("kept"),
            None => direct.drop_checkpoint(lost.id, second).await.expect("dropped"),
        }
        for write in writes {
            in_trouble(write.await.expect("no panic"));
        }
        let until = Instant::now() + Duration::from_millis(LINE_MS * 3);
        while direct.checkpoint(own.id).await != Ok(Some(late.to_vec())) {
            assert!(Instant::now() < until, "the line brings it");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The other was said before it.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(direct.checkpoint(lost.id).await, Ok(kept));
        proxy.delay(0);
        recovered(frozen, Duration::from_secs(60)).await;
    }
}

/// A user of each writer who wants the address of a round.
fn shared(writer: u32, seq: u32) -> User {
    user(&format!("business-{writer}"), seq, &format!("shared{seq}@example.com"))
}

/// Each writer appends an event, books and leaves a message, each until it is known to be done.
async fn cut_while_writing(proxy: &Arc<Proxy>, store: &Arc<Scylla>) -> (u32, u32) {
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, stop, written) = (Arc::clone(store), Arc::clone(&stop), Arc::clone(&written));
            tokio::spawn(async move {
                for seq in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (call, number) = (CallId::new(uuid(writer)), writer * 1_000 + seq);
                    let new = [event(seq, "x")];
                    while store.append_events(call, &new).await.is_err() {}
                    book_for_sure(&store, number).await;
                    let left = message("barbers", number, i64::from(number));
                    let key = conformance::key(&format!("{number}/1"));
                    while store.put_message(&left, &key).await.is_err() {}
                    // All writers want the same address in each round.
                    let wanting = shared(writer, seq);
                    while let Err(Error::Unavailable { .. } | Error::Unknown { .. }) =
                        store.create_user(&wanting).await
                    {}
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        proxy.cut();
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        tokio::time::timeout(Duration::from_secs(120), writer).await.expect("an end").expect("no panic");
    }
    (written.load(Ordering::Relaxed), WRITERS)
}
