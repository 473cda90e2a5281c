//! ◇ folders decide and do nothing else: no runtime, actor, socket, clock, environment or randomness.

use crate::source::{expect_none, rust_files};

/// The pure folders, by path prefix.
const PURE: &[&str] = &[
    "models/src/answering/",
    "models/src/batching/",
    "models/src/remote/failover/",
    "actors/src/types/",
    "actors/src/call/conversation/",
    "actors/src/call/brain/playbook/",
    "actors/src/call/call_back/",
    "actors/src/call/hand_over/",
    "actors/src/call/reaching/",
    "actors/src/call/screening/",
    "actors/src/storage/journal/entry",
    "actors/src/storage/journal/erase",
    "actors/src/storage/journal/ledger",
    "actors/src/storage/journal/record",
    "actors/src/call/sharing/pending",
    "actors/src/storage/coordination/tables/",
    "cluster/src/sip/",
    "cluster/src/rtp/",
    "cluster/src/edge/carriers/provider/",
    "cluster/src/fuzzing/",
    "cluster/src/membership/placement",
    "cluster/src/gateway/rate_limit",
    "loadtest/src/ramp",
    "loadtest/src/verdict",
];

/// What a pure file may not say, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    ("tokio::", "the shell awaits; the core is told"),
    ("ractor", "the shell is the actor"),
    ("async fn", "the shell awaits; the core is told"),
    (".await", "the shell awaits; the core is told"),
    ("std::net::UdpSocket", "the shell owns sockets"),
    ("std::net::TcpStream", "the shell owns sockets"),
    ("std::fs", "the shell owns files"),
    ("std::thread", "the shell owns threads"),
    ("Instant", "take `now` as a value"),
    ("SystemTime", "take `now` as a value"),
    ("Timestamp::now", "take `now` as a value"),
    ("Zoned::now", "take `now` as a value"),
    ("std::env", "settings are arguments"),
    ("rand::", "take the random value as an argument"),
    ("Uuid::now", "take the id as an argument"),
    ("parking_lot", "a value needs no lock"),
    ("tracing::", "say it with an effect; the shell logs"),
];

#[test]
fn pure_folders_stay_pure() {
    let mut findings = Vec::new();
    for file in rust_files() {
        if !PURE.iter().any(|prefix| file.path.starts_with(prefix)) || file.is_test() {
            continue;
        }
        for (number, line) in file.product_text().lines().enumerate() {
            for (word, instead) in BANNED {
                if says(line, word) {
                    findings.push(format!("{}:{} says `{word}`: {instead}", file.path, number + 1));
                }
            }
        }
    }
    expect_none(&findings, "move this into the shell:");
}

/// Whether the line has the word, and not as the start of a longer name.
fn says(line: &str, word: &str) -> bool {
    let ends_in_name = word.ends_with(|character: char| character.is_alphanumeric());
    line.match_indices(word).any(|(at, _)| {
        let after = line.get(at + word.len()..).and_then(|rest| rest.chars().next());
        !ends_in_name || after.is_none_or(|character| !(character.is_alphanumeric() || character == '_'))
    })
}

#[test]
fn the_purity_rule_sees_what_it_looks_for() {
    assert!(says("let answer = store.get().await;", ".await"));
    assert!(!says("self.await_end_of_turn();", ".await"));
    assert!(says("use std::time::Instant;", "Instant"));
    assert!(says("tokio::spawn(work)", "tokio::"));
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let findings: Vec<String> = rust_files()
        .iter()
        .filter(|file| {
            file.path != "models/src/offline/ffi.rs" && !file.path.starts_with("models/src/offline/ffi/")
        })
        .filter(|file| !file.path.starts_with("ops/tests/"))
        .filter(|file| {
            let code = file.product_text();
            code.contains("unsafe {")
                || code.contains("unsafe fn")
                || code.contains("unsafe impl")
                || code.contains("allow(unsafe_code")
        })
        .map(|file| file.path.clone())
        .collect();
    expect_none(&findings, "only models/src/offline/ffi may hold unsafe code:");
}

/// The files that may ask the clock, the environment or the generator of random numbers.
const ASKERS: &[&str] = &["clock.rs", "chance.rs", "config/load.rs"];

#[test]
fn only_named_files_ask_the_world() {
    let mut findings = Vec::new();
    for file in rust_files() {
        if file.is_test() || ASKERS.iter().any(|name| file.path.ends_with(name)) {
            continue;
        }
        let code = file.product_text();
        if code.contains("disallowed_methods") || code.contains("disallowed_types") {
            findings.push(file.path.clone());
        }
    }
    expect_none(
        &findings,
        "only clock.rs, chance.rs and config/load.rs may lift the ban on asking the world:",
    );
}
