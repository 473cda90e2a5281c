//! An examination finds what is missing on either side, and nothing while others write.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::storage::Users as _;
use crate::storage::conformance::{at, call, message, portable, user, uuid};
use crate::storage::ordered::{Key, bookings};
use crate::storage::scylla::calls::{day_of, month_of, place, place_of};
use crate::storage::scylla::open_calls::{bytes, shard_of};
use crate::types::{CallRecord, EmailAddress, Private};

/// Takes rows out behind the store's back.
async fn cut(store: &Scylla, from: &str, values: impl scylla::serialize::row::SerializeRow) {
    let text = format!("DELETE FROM {from}");
    let text = cql::in_keyspaces(&text, &store.cluster.settings.keyspace_prefix);
    store.cluster.live.load().session.query_unpaged(text, values).await.expect("cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peer_an_examination_of_cassandra_finds_what_is_missing_on_either_side() {
    let ring = Ring::start(1);
    let store = Arc::new(store(&settings(&ring, "examined")).await);
    portable::fill(&*store).await;
    let sound = store.examine().await.expect("read").expect("examined");
    assert_eq!((sound.faults_total, sound.faults.as_slice()), (0, &[][..]));
    let rows = |name: &str| sound.rows.get(name).copied();
    assert_eq!((rows("calls"), rows("calls_by_day"), rows("emails")), (Some(5), Some(5), Some(3)));
    while_others_write(&store).await;
    break_it(&store).await;
    let found = store.examine().await.expect("read").expect("examined");
    let told: BTreeSet<String> =
        found.faults.iter().map(|fault| format!("{}: {}", fault.table, fault.what)).collect();
    let expected = [
        "businesses: it is not listed",
        "businesses: one of its numbers does not lead to it",
        "calendar: it is not listed at its time",
        "calls: it can't be found by its caller",
        "calls: it goes on and is not among the open calls",
        "calls: its business does not list it",
        "calls_by_caller: it leads to no call",
        "calls_by_day: it leads to no call",
        "emails: it is claimed for somebody who does not have it; whoever wants it gets it",
        "messages: its business does not list it",
        "messages_by_month: it leads to no message",
        "recordings: its business does not list it",
        "recordings_by_month: it leads to no recording",
        "users: their e-mail address does not lead to them",
    ];
    assert_eq!(told, expected.map(str::to_owned).into());
    assert_eq!(found.faults_total, expected.len() as u64);
}

/// Calls begin and end, users and appointments come and go: none of it is a fault.
async fn while_others_write(store: &Arc<Scylla>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (writer, stopped) = (Arc::clone(store), Arc::clone(&stop));
    let writing = tokio::spawn(async move {
        let mut number = 1_000;
        while !stopped.load(Ordering::Relaxed) {
            number += 1;
            let ended = call("busy", number, i64::from(number));
            let open = CallRecord { ended_at: None, ..ended.clone() };
            writer.put_call(&open).await.expect("written");
            let new = user("busy", number, &format!("busy{number}@example.com"));
            writer.create_user(&new).await.expect("kept");
            book_for_sure(&writer, number).await;
            writer.put_call(&ended).await.expect("written");
            writer.erase_call(ended.id, crate::storage::Extent::Everything).await.expect("erased");
            writer.delete_user(&new.tenant, new.id).await.expect("deleted");
        }
        number - 1_000
    });
    for _ in 0..3 {
        let found = store.examine().await.expect("read").expect("examined");
        assert_eq!((found.faults_total, found.faults), (0, Vec::new()));
    }
    stop.store(true, Ordering::Relaxed);
    let rounds = writing.await.expect("no panic");
    println!("{rounds} rounds of writes meanwhile");
    assert!(rounds > 0);
}

async fn break_it(store: &Scylla) {
    let by_day = "{data}.calls_by_day WHERE tenant = ? AND day = ? AND place = ?";
    let one = call("barbers", 1, 1);
    cut(store, by_day, ("barbers", day_of(one.started_at), place(&one))).await;
    cut(store, "{data}.calls WHERE call = ?", (uuid(2),)).await;
    let three = call("barbers", 3, 3);
    let by_caller = "{data}.calls_by_caller WHERE tenant = ? AND caller = ? AND place = ?";
    cut(store, by_caller, ("barbers", "+447700900001", place(&three))).await;
    let open = "{data}.open_calls WHERE day = ? AND shard = ? AND call = ?";
    cut(store, open, (day_of(at(5)), shard_of(uuid(5)), bytes(uuid(5)))).await;
    let left = message("barbers", 1, 1);
    let listed = "{data}.messages WHERE tenant = ? AND month = ? AND place = ?";
    let own = place_of(left.taken_at, left.id.as_uuid());
    cut(store, listed, ("barbers", month_of(left.taken_at), own)).await;
    let keyed = "{lwt}.message_keys WHERE tenant = ? AND scope = ? AND key = ?";
    cut(store, keyed, ("barbers", "2", "2/9")).await;
    let by_month = "{data}.recordings_by_month WHERE tenant = ? AND month = ? AND recording = ?";
    cut(store, by_month, ("barbers", month_of(at(0)), bytes(uuid(1)))).await;
    cut(store, "{lwt}.recordings WHERE recording = ?", (uuid(2),)).await;
    cut(store, "{lwt}.emails WHERE email = ?", ("changed@example.com",)).await;
    cut(store, "{lwt}.users WHERE tenant = ? AND id = ?", ("barbers", bytes(uuid(1)))).await;
    cut(store, "{data}.tenants WHERE part = ? AND tenant = ?", (0_i8, "clinic")).await;
    cut(store, "{lwt}.numbers WHERE number = ?", ("1000",)).await;
    let (stands, _) = booking(1, 0, 30);
    let start: Key = bookings::start_key(&stands);
    let place = "{lwt}.calendar WHERE tenant = ? AND calendar = ? AND kind = ? AND place = ?";
    cut(store, place, ("barbers", "main", 2_i8, start.as_bytes())).await;
    // Whoever looks for the address finds out, too.
    let email = Private::new(EmailAddress::parse("u1@example.com").expect("an address"));
    assert_eq!(store.user_by_email(&email).await, Ok(None));
}
