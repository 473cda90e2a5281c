//! Calls of a real node, found by what was said in them: soon, after a kill, and after a full disk.

use std::path::Path;
use std::time::Duration;

use cluster::operator::Presence;

use super::disk_full::{limit, logged};
use super::{NUMBER, Phone, started};
use crate::command_line::strowger;
use crate::node_life::{calls, stop, terminate, wait_for};

/// Packets of 20 ms until enough of the greeting was heard.
const HEARD: usize = 150;

/// A limit that no commit stays below, whether the store's or the index's.
const FULL: &str = "64";

/// Calls, listens for a while, hangs up, and returns the newest call's id once its end is on record.
fn call(data: &Path, node: &Presence, name: &str) -> String {
    let before = ended(data).len();
    listen(node, name);
    wait_for("its record", || ended(data).len() == before + 1);
    ended(data).remove(0)
}

fn listen(node: &Presence, name: &str) {
    let mut phone = Phone::new(node.sip, NUMBER, name);
    phone.calls();
    let mut heard = 0;
    while heard < HEARD {
        std::thread::sleep(Duration::from_millis(50));
        heard += phone.audio_packets();
    }
    phone.hangs_up();
}

/// The calls whose end is on record, newest first.
fn ended(data: &Path) -> Vec<String> {
    let over = calls(data).into_iter().filter(|call| !call["outcome"].is_null());
    over.map(|call| call["id"].as_str().expect("an id").to_owned()).collect()
}

/// The longest word that was said in a call.
fn word(data: &Path, call: &str) -> String {
    let shown = strowger(data, &["calls", "show", "--json", call]).expect("shows");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    let said =
        shown["events"].as_array().expect("events").iter().filter_map(|event| event["kind"]["text"].as_str());
    let letters = |word: &&str| word.chars().all(char::is_alphabetic);
    said.flat_map(str::split_whitespace)
        .filter(letters)
        .max_by_key(|word| word.len())
        .expect("a word")
        .to_owned()
}

/// The calls that are found, newest first.
fn found(data: &Path, words: &str) -> Vec<String> {
    let found =
        strowger(data, &["calls", "search", "--json", words]).unwrap_or_else(|told| format!("{told:?}"));
    let found: serde_json::Value = serde_json::from_str(&found).expect("json");
    let id = |hit: &serde_json::Value| hit["record"]["id"].as_str().expect("an id").to_owned();
    found["hits"].as_array().map(|hits| hits.iter().map(id).collect()).unwrap_or_default()
}

#[test]
fn peer_a_call_is_found_soon_and_after_a_kill_and_after_a_stop() {
    let data = tempfile::tempdir().expect("a directory");
    let data = data.path();
    let (mut node, presence) = started(data, &[]);
    let first = call(data, &presence, "first");
    let word = word(data, &first);
    wait_for("the call in the index", || found(data, &word) == [first.clone()]);
    node.0.kill().expect("kills");
    node.0.wait().expect("is gone");

    // It is never committed before the node dies.
    let (mut node, presence) = started(data, &[("STROWGER_SEARCH_COMMIT_MS", "600000")]);
    let second = call(data, &presence, "second");
    node.0.kill().expect("kills");
    node.0.wait().expect("is gone");

    let (node, _) = started(data, &[]);
    wait_for("both", || found(data, &word) == [second.clone(), first.clone()]);
    let reindexed = strowger(data, &["calls", "reindex"]).expect("builds");
    assert_eq!(reindexed, "the index is built anew: 2 call(s)\n");
    assert_eq!(found(data, &word), [second.clone(), first.clone()]);
    assert!(stop(node), "a clean exit");

    // Without a node, too; and what a node stopped with is committed.
    assert_eq!(found(data, &word), [second, first]);
}

#[test]
fn peer_a_full_disk_loses_nothing_that_ended() {
    let data = tempfile::tempdir().expect("a directory");
    let data = data.path();
    let environment = [("STROWGER_SEARCH_SWEEP_S", "1"), ("STROWGER_SEARCH_RETRY_MS", "100")];
    let (mut node, presence, log) = logged(data, &environment);
    let first = call(data, &presence, "first");
    let word = word(data, &first);
    wait_for("the call in the index", || found(data, &word) == [first.clone()]);
    limit(&node, FULL);
    listen(&presence, "second");
    std::thread::sleep(Duration::from_secs(2));
    // The store itself can't be read by then, and the answer says so.
    let told = strowger(data, &["calls", "search", &word]).expect_err("no store");
    assert!(told.contains("the store is unavailable"), "{told}");
    limit(&node, "unlimited");
    wait_for("both", || found(data, &word).len() == 2 && found(data, &word).last() == Some(&first));
    terminate(&node);
    assert!(node.0.wait().expect("ends").success(), "a clean exit");
    let log = log.join().expect("read");
    let lines = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert!(lines("calls are not indexed for now") >= 1, "{log}");
    assert_eq!(lines("calls are not indexed for now"), lines("calls are indexed again"), "{log}");
}
