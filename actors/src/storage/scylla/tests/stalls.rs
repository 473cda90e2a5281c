//! A server that stops answering, and one that is killed.

use nix::sys::signal::Signal;

use super::*;
use crate::storage::conformance::{call, event, fence, uuid};
use crate::types::CallId;

/// Deadlines as in the field, but short.
fn hasty(ring: &Ring) -> Settings {
    Settings {
        call_path_ms: 400,
        call_path_total_ms: 1_000,
        lwt_ms: 1_000,
        total_ms: 2_500,
        health_ms: 500,
        ..settings(ring, "stalls")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_a_cassandra_that_stalls_or_dies_loses_nothing() {
    let mut ring = Ring::start(1);
    store(&settings(&ring, "stalls")).await;
    let store = Arc::new(Scylla::open(&hasty(&ring)).await.expect("opened"));
    let id = CallId::new(uuid(1));
    for number in 0..20 {
        book_for_sure(&store, number).await;
    }
    recovered(&store, Duration::from_secs(10)).await;
    store.put_call(&call("barbers", 1, 0)).await.expect("written");

    ring.signal(0, Signal::SIGSTOP);
    let slack = Duration::from_millis(1_500);
    let (path, whole) = (Duration::from_millis(1_000) + slack, Duration::from_millis(2_500) + slack);
    in_trouble(within(path, store.call(id)).await);
    in_trouble(within(path * 2, store.append_events(id, &[event(0, "said")])).await);
    in_trouble(within(path, store.put_checkpoint(id, fence(0), b"state")).await);
    let (new, time) = appointment(20);
    in_trouble(within(whole, store.book(&new, &time, &key("20/0"))).await);
    let barbers = crate::storage::conformance::business("barbers", 1, &["1000"]);
    in_trouble(within(path + whole, store.put_business(&barbers, None)).await);
    in_trouble(within(path * 2, store.check()).await);
    ring.signal(0, Signal::SIGCONT);
    let back = recovered(&store, Duration::from_secs(30)).await;
    println!("back {back:?} after it goes on");
    for number in 18..24 {
        book_for_sure(&store, number).await;
    }
    check_booked(&store, 0..24).await;
    assert_eq!(store.call(id).await, Ok(Some(call("barbers", 1, 0))));
    store.append_events(id, &[event(0, "said")]).await.expect("appended");
    assert_eq!(store.events(id).await, Ok(vec![event(0, "said")]));

    // Killed in the middle of bookings: whatever became of each, its key finds out.
    let booking = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut asked = 0;
            for number in 24..120 {
                asked += book_for_sure(&store, number).await;
            }
            asked
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    ring.kill(0);
    in_trouble(store.call(id).await);
    tokio::task::block_in_place(|| ring.start_node(0));
    let asked = booking.await.expect("all are booked");
    println!("96 bookings over a kill were asked for {asked} times");
    check_booked(&store, 0..120).await;
    assert_eq!(store.events(id).await, Ok(vec![event(0, "said")]));
}
