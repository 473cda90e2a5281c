//! A node whose Cassandra is away when it starts, comes back empty, or has a full disk.

use std::time::Duration;

use actors::storage::scylla::{Scylla, Settings};
use actors::storage::{Fence, Storage};
use actors::types::CallId;
use nix::sys::signal::Signal;
use serde_json::Value;

use super::disk_full::limit;
use super::shared_store::{OnRing, ended_well, goes_on, metric};
use super::{NUMBER, Phone, get};
use crate::cassandra::Ring;
use crate::command_line::strowger;
use crate::node_life::{stop, wait_for};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ops/config/demo.toml");
const WAITING: &str = "strowger_storage_journal_writes";
const AWAY: &str = "strowger_storage_away";

fn call(node: &cluster::operator::Presence, name: &str) -> Phone {
    let mut phone = Phone::new(node.sip, NUMBER, name);
    phone.calls();
    goes_on(&phone);
    phone
}

/// A call's events: each number once, in order, from the first to the end.
fn assert_whole(on: &OnRing, call: &Value) {
    let id = call["id"].as_str().expect("an id");
    let shown = strowger(on.path(), &["calls", "show", id, "--json"]).expect("shows");
    let shown: Value = serde_json::from_str(&shown).expect("json");
    let events = shown["events"].as_array().expect("events");
    let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events.last().expect("the end")["kind"]["event"], "ended", "{shown}");
}

#[test]
fn peer_a_node_starts_and_takes_calls_while_its_cassandra_is_away() {
    let ring = Ring::start(1);
    let on = OnRing::new(&ring, "store_again_ms = 300", "[address_book]\nwrite_ms = 100\n");
    on.migrate();
    let (node, presence) = on.start();
    call(&presence, "known").hangs_up();
    wait_for("its record", || on.calls().first().is_some_and(ended_well));
    wait_for("the book", || on.path().join("address.book").exists());
    assert!(stop(node), "a clean exit");

    ring.signal(0, Signal::SIGSTOP);
    let (node, presence) = on.start();
    assert_eq!(metric(&presence, AWAY), 1.0);
    let caller = call(&presence, "away");
    let unknown = Phone::new(presence.sip, "2000", "unknown").asks("INVITE", 1);
    assert!(unknown.starts_with("SIP/2.0 503 ") && unknown.contains("Retry-After"), "{unknown}");
    assert!(metric(&presence, "strowger_address_book_used_total") >= 1.0);
    caller.hangs_up();
    wait_for("what is kept", || metric(&presence, WAITING) > 0.0);
    let ready = get(presence.http, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("unavailable"), "{ready}");
    // It dies before the cluster is back, and starts without it once more.
    wait_for("the call's end", || metric(&presence, "strowger_calls_live") == 0.0);
    drop(node);
    let (node, presence) = on.start();
    call(&presence, "again").hangs_up();

    ring.signal(0, Signal::SIGCONT);
    wait_for("the store", || metric(&presence, AWAY) == 0.0 && metric(&presence, WAITING) == 0.0);
    let taken = || on.calls().into_iter().filter(|call| call["called"] == NUMBER).collect::<Vec<_>>();
    wait_for("every record", || {
        let found = taken();
        found.len() == 3 && found.iter().all(|call| !call["ended_at"].is_null())
    });
    for (number, call) in taken().iter().enumerate() {
        assert!(ended_well(call), "{call}");
        assert_whole(&on, call);
        // Each was recorded: by the keys of the address book where the store had none to give.
        let (id, file) = (call["id"].as_str().expect("an id"), on.path().join(format!("{number}.wav")));
        let file = file.to_str().expect("a name");
        strowger(on.path(), &["calls", "play", id, "--out", file]).expect("plays");
        assert!(std::fs::metadata(file).expect("there").len() > 1_000, "{call}");
    }
    assert!(stop(node), "a clean exit");
}

#[test]
fn peer_a_cassandra_that_comes_back_empty_gets_what_was_kept_once_it_has_its_tables() {
    let mut ring = Ring::start(1);
    let on = OnRing::new(&ring, "", "[address_book]\nwrite_ms = 100\n");
    on.migrate();
    let (node, presence) = on.start();
    call(&presence, "before").hangs_up();
    wait_for("its record", || on.calls().first().is_some_and(ended_well));
    let during = call(&presence, "during");
    wait_for("its record", || on.calls().len() == 2);
    ring.kill(0);
    goes_on(&during);
    during.hangs_up();
    ring.wipe(0);
    ring.start_node(0);
    let told = || get(presence.http, "/readyz");
    wait_for("the command that mends it", || told().contains("strowger store migrate"));
    assert!(told().starts_with("HTTP/1.1 200"), "calls are taken: {}", told());
    let after = call(&presence, "after");
    after.hangs_up();
    wait_for("what is kept", || metric(&presence, WAITING) > 2.0);
    let kept = metric(&presence, WAITING);
    std::thread::sleep(Duration::from_secs(3));
    assert!(metric(&presence, WAITING) >= kept, "nothing is given up");
    on.migrate();
    wait_for("an empty journal", || metric(&presence, WAITING) == 0.0);
    let refused = get(presence.http, "/metrics");
    assert!(!refused.contains("strowger_storage_journal_refused_total"), "{refused}");
    // What the cluster had acknowledged before is gone with it, the business as well, by which calls are listed;
    // what was kept is whole.
    strowger(on.path(), &["tenant", "import", DEMO]).expect("imported");
    let found = on.calls();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(ended_well), "{found:?}");
    assert_whole(&on, &found[1]);
    assert!(stop(node), "a clean exit");
}

#[test]
fn peer_a_cassandra_without_room_dies_and_calls_go_on() {
    let mut ring = Ring::start(1);
    let on = OnRing::new(&ring, "", "");
    on.migrate();
    let (node, presence) = on.start();
    let during = call(&presence, "during");
    wait_for("its record", || on.calls().len() == 1);
    // No file of Cassandra's may grow beyond this: the next piece of its commit log can't be made.
    ring.limit(0, "1048576");
    let settings = Settings { contact_points: ring.contact_points(), ..Settings::default() };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let refused = runtime.block_on(async {
        let store = Scylla::open(&settings).await.expect("opened");
        let fence = Fence { started_at: jiff::Timestamp::UNIX_EPOCH, claim: 0 };
        for number in 0..400_u128 {
            let call = CallId::new(uuid::Uuid::from_u128(number));
            if let Err(error) = store.put_checkpoint(call, fence, &[7; 200_000]).await {
                return Some(error.to_string());
            }
        }
        None
    });
    println!("full: {refused:?}");
    assert!(refused.is_some(), "80 MB fit into a disk of one");
    goes_on(&during);
    let after = call(&presence, "after");
    during.hangs_up();
    after.hangs_up();
    wait_for("what is kept", || metric(&presence, WAITING) > 2.0);
    // Its operator makes room and starts it again.
    ring.kill(0);
    ring.start_node(0);
    wait_for("an empty journal", || metric(&presence, WAITING) == 0.0);
    let found = on.calls();
    assert!(found.len() == 2 && found.iter().all(ended_well), "{found:?}");
    found.iter().for_each(|call| assert_whole(&on, call));
    assert!(stop(node), "a clean exit");
}

#[test]
fn peer_a_node_without_room_whose_cassandra_is_away_ends_no_call_and_loses_no_record() {
    let ring = Ring::start(1);
    let on = OnRing::new(&ring, "", "");
    on.migrate();
    let (node, presence) = on.start();
    let during = call(&presence, "during");
    wait_for("its record", || on.calls().len() == 1);
    ring.signal(0, Signal::SIGSTOP);
    // Not even the journal's heading and one write.
    limit(&node, "16");
    let after = call(&presence, "after");
    goes_on(&during);
    during.hangs_up();
    after.hangs_up();
    let refused = "strowger_storage_journal_refused_total{kind=\"disk\"}";
    wait_for("the alarm", || metric(&presence, refused) > 0.0);
    let ready = get(presence.http, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "calls are taken: {ready}");
    limit(&node, "unlimited");
    ring.signal(0, Signal::SIGCONT);
    wait_for("both records", || on.calls().len() == 2 && on.calls().iter().all(ended_well));
    on.calls().iter().for_each(|call| assert_whole(&on, call));
    assert!(stop(node), "a clean exit");
}
