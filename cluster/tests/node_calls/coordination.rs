//! Nodes that share a real server, with calls under way while it stands still, dies, comes back empty, is cut off
//! every 50 ms, or takes nothing more.

use std::path::Path;
use std::time::Duration;

use cluster::operator::Presence;
use tempfile::TempDir;

use super::phone::Phone;
use super::{NUMBER, get, outcomes, started};
use crate::command_line::strowger;
use crate::node_life::{Process, stop, wait_for};
use crate::redis_proxy::Proxy;
use crate::redis_server::{Make, Server};

/// Beside the words of a call there is silence; in this much of it some packets come all the same.
const LISTEN: Duration = Duration::from_millis(600);

/// A node that shares what is at `url`, and tells of its calls often enough for a test.
fn sharing(url: &str) -> (TempDir, Process, Presence) {
    let data = tempfile::tempdir().expect("a directory");
    let environment = [
        ("STROWGER_COORDINATION_URL", url),
        ("STROWGER_CALLS_CALL_SHARING_REFRESH_MS", "300"),
        ("STROWGER_CALLS_CALL_SHARING_PLACE_MS", "3000"),
        ("STROWGER_CALLS_CALL_SHARING_ENTRY_MS", "3000"),
    ];
    let (node, presence) = started(data.path(), &environment);
    wait_for("the server", || metric(&presence, "strowger_coordination_connected") == 1.0);
    (data, node, presence)
}

pub(super) fn metric(node: &Presence, name: &str) -> f64 {
    let metrics = get(node.http, "/metrics");
    let values = metrics.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| name.contains('{') || rest.starts_with(' '))
    });
    values.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

fn keys(server: &Server, part: &str) -> usize {
    server.say(&["keys", "*"]).lines().filter(|key| key.contains(part)).count()
}

/// The tenant's places as the server knows them.
fn places(server: &Server) -> usize {
    server
        .say(&["zrange", "strowger:{tenant:fleet-street-barbers}:places", "0", "-1"])
        .split_whitespace()
        .count()
}

fn goes_on(caller: &Phone) {
    caller.audio_packets();
    std::thread::sleep(LISTEN);
    assert!(caller.audio_packets() > 10, "the call goes on");
}

/// A call comes, is answered, heard and ended.
fn one_call(node: &Presence, name: &str) {
    let mut caller = Phone::new(node.sip, NUMBER, name);
    caller.calls();
    goes_on(&caller);
    caller.hangs_up();
}

fn all_ended_well(data: &Path, calls: usize) {
    let well = |outcome: &serde_json::Value| {
        outcome["reason"].as_str().is_some_and(|reason| reason.starts_with("caller_hung_up"))
    };
    wait_for("every record", || {
        let outcomes = outcomes(data);
        outcomes.len() == calls && outcomes.iter().all(well)
    });
}

/// One call for as long as this takes, and another that comes and goes in mid-trouble.
fn calls_go_on_through(name: &str, node: &Presence, data: &Path, trouble: impl FnOnce(), end: impl FnOnce()) {
    let mut caller = Phone::new(node.sip, NUMBER, &format!("{name}-long"));
    caller.calls();
    trouble();
    goes_on(&caller);
    one_call(node, &format!("{name}-short"));
    let ready = get(node.http, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "calls are taken: {ready}");
    end();
    goes_on(&caller);
    caller.hangs_up();
    all_ended_well(data, 2);
}

#[test]
fn peer_redis_knows_a_node_s_calls_while_they_last() {
    let server = Server::start(&[]);
    let (data, node, presence) = sharing(&server.url());
    let mut caller = Phone::new(presence.sip, NUMBER, "known");
    caller.calls();
    wait_for("its place", || places(&server) == 1);
    wait_for("its entry", || keys(&server, ":entry") == 1);
    wait_for("its state", || keys(&server, ":state") == 1);
    // Longer than anything is kept that is not prolonged.
    std::thread::sleep(Duration::from_millis(3_500));
    assert_eq!((places(&server), keys(&server, ":entry")), (1, 1));
    caller.hangs_up();
    wait_for("nothing", || places(&server) == 0 && keys(&server, "{call:") == 0);
    assert!(metric(&presence, "strowger_admissions_total{by=\"all\"") >= 1.0);
    all_ended_well(data.path(), 1);
    assert!(stop(node), "a clean exit");
    assert_eq!(keys(&server, "{node:"), 0, "{}", server.say(&["keys", "*"]));
}

#[test]
fn peer_redis_counts_a_business_s_calls_on_all_nodes() {
    let server = Server::start(&[]);
    let (first_data, first_node, first) = sharing(&server.url());
    let (second_data, _second_node, second) = sharing(&server.url());
    let demo = include_str!("../../../ops/config/demo.toml");
    for data in [&first_data, &second_data] {
        let file = data.path().join("two_calls.toml");
        std::fs::write(&file, demo.replace("calls_at_once = 20", "calls_at_once = 2")).expect("writes");
        strowger(data.path(), &["tenant", "import", &file.to_string_lossy()]).expect("imports");
    }
    let mut one = Phone::new(first.sip, NUMBER, "one");
    one.calls();
    let mut two = Phone::new(second.sip, NUMBER, "two");
    two.calls();
    let busy = Phone::new(second.sip, NUMBER, "three").asks("INVITE", 1);
    assert!(busy.starts_with("SIP/2.0 486 "), "{busy}");
    one.hangs_up();
    wait_for("room", || places(&server) == 1);
    let mut four = Phone::new(second.sip, NUMBER, "four");
    four.calls();
    four.hangs_up();
    wait_for("room", || places(&server) == 1);
    // A node that dies takes its places with it, though not at once.
    let mut five = Phone::new(first.sip, NUMBER, "five");
    five.calls();
    let busy = Phone::new(second.sip, NUMBER, "six").asks("INVITE", 1);
    assert!(busy.starts_with("SIP/2.0 486 "), "{busy}");
    drop(first_node);
    std::thread::sleep(Duration::from_millis(3_500));
    let mut seven = Phone::new(second.sip, NUMBER, "seven");
    seven.calls();
    seven.hangs_up();
    two.hangs_up();
}

#[test]
fn peer_redis_stands_still_and_calls_go_on() {
    let server = Server::start(&[]);
    let (data, _node, presence) = sharing(&server.url());
    calls_go_on_through(
        "stopped",
        &presence,
        data.path(),
        || server.freeze(),
        || {
            wait_for("the warning", || get(presence.http, "/readyz").contains("coordination server"));
            server.thaw();
            wait_for("both calls", || places(&server) == 1 && keys(&server, ":entry") == 1);
        },
    );
    assert!(metric(&presence, "strowger_admissions_total{by=\"this_node\"") >= 1.0, "it could not be asked");
    wait_for("nothing", || places(&server) == 0 && keys(&server, "{call:") == 0);
}

#[test]
fn peer_redis_is_killed_and_comes_back_empty_and_calls_go_on() {
    let mut server = Server::start(&[]);
    let (data, _node, presence) = sharing(&server.url());
    let mut caller = Phone::new(presence.sip, NUMBER, "killed-long");
    caller.calls();
    wait_for("its place", || places(&server) == 1);
    server.kill();
    goes_on(&caller);
    one_call(&presence, "killed-short");
    server.start_again();
    wait_for("what it knew", || places(&server) == 1 && keys(&server, ":entry") == 1);
    goes_on(&caller);
    one_call(&presence, "after");
    caller.hangs_up();
    all_ended_well(data.path(), 3);
    wait_for("nothing", || places(&server) == 0 && keys(&server, "{call:") == 0);
}

#[test]
fn peer_redis_is_cut_off_every_50_ms_and_calls_go_on() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port());
    let (data, _node, presence) = sharing(&proxy.url());
    let mut cutting = None;
    calls_go_on_through(
        "cut",
        &presence,
        data.path(),
        || cutting = Some(proxy.cut_every(Duration::from_millis(50))),
        || assert!(proxy.cuts() > 10, "{}", proxy.cuts()),
    );
    drop(cutting);
    wait_for("nothing", || places(&server) == 0 && keys(&server, "{call:") == 0);
}

#[test]
fn peer_redis_is_slow_and_calls_go_on() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port());
    let (data, _node, presence) = sharing(&proxy.url());
    calls_go_on_through("slow", &presence, data.path(), || proxy.delay_ms(400), || proxy.delay_ms(0));
    wait_for("nothing", || places(&server) == 0 && keys(&server, "{call:") == 0);
}

#[test]
fn peer_redis_has_a_full_disk_and_no_memory_left_and_calls_go_on() {
    let words = ["--save", "3600 1", "--appendonly", "no", "--stop-writes-on-bgsave-error", "yes"];
    let server = Server::start_with(Make::Redis, &words, None);
    let (data, _node, presence) = sharing(&server.url());
    let full = || {
        std::fs::remove_dir_all(server.folder()).expect("its folder goes");
        server.say(&["set", "something", "new"]);
        server.say(&["bgsave"]);
        wait_for("the failure", || {
            server.say(&["info", "persistence"]).contains("rdb_last_bgsave_status:err")
        });
        assert!(server.say(&["set", "something", "else"]).contains("MISCONF"));
        assert!(server.say(&["config", "set", "maxmemory", "1"]).contains("OK"));
    };
    let room = || {
        wait_for("the warning", || get(presence.http, "/readyz").contains("coordination server"));
        std::fs::create_dir(server.folder()).expect("its folder is back");
        server.say(&["config", "set", "stop-writes-on-bgsave-error", "no"]);
        server.say(&["config", "set", "maxmemory", "0"]);
        wait_for("its place", || places(&server) == 1);
    };
    calls_go_on_through("full", &presence, data.path(), full, room);
    wait_for("nothing", || places(&server) == 0 && keys(&server, "{call:") == 0);
}

#[test]
fn peer_redis_that_was_never_there_keeps_no_node_from_taking_calls() {
    let mut server = Server::start(&[]);
    server.kill();
    let data = tempfile::tempdir().expect("a directory");
    let url = server.url();
    let (_node, presence) = started(data.path(), &[("STROWGER_COORDINATION_URL", &url)]);
    one_call(&presence, "alone");
    all_ended_well(data.path(), 1);
}
