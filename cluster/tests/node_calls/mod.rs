//! Nodes as real processes with calls under way: stopped politely, stopped at once, full.

mod cluster_faults;
mod coordination;
mod disk_full;
mod engines_elsewhere;
mod object_store;
mod phone;
mod search;
mod shared_store;

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::operator::Presence;
use tokio::time::Instant;

use crate::command_line::strowger;
use crate::node_life::{Process, calls, program_with, start_with, terminate, wait_for};
pub(crate) use phone::Phone;

/// The demo business's number.
const NUMBER: &str = "1000";

pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("asks");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("reads");
    answer
}

fn sessions(node: &Presence) -> Option<String> {
    let metrics = get(node.http, "/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix("strowger_media_sessions "))?;
    Some(line.to_owned())
}

fn started(data: &Path, environment: &[(&str, &str)]) -> (Process, Presence) {
    let node = start_with(data, environment);
    (node, Presence::find(data).expect("runs"))
}

fn assert_sent_away(answer: &str) {
    assert!(answer.starts_with("SIP/2.0 503 ") && answer.contains("Retry-After: 5\r\n"), "{answer}");
}

/// The outcomes on record, oldest call first.
fn outcomes(data: &Path) -> Vec<serde_json::Value> {
    calls(data).iter().rev().map(|call| call["outcome"].clone()).collect()
}

#[test]
fn peer_a_node_that_stops_lets_its_call_end_and_takes_no_other() {
    let data = tempfile::tempdir().expect("a directory");
    let (mut process, node) = started(data.path(), &[]);
    let mut caller = Phone::new(node.sip, NUMBER, "stays");
    caller.calls();
    wait_for("the session's count", || sessions(&node).as_deref() == Some("1"));
    terminate(&process);
    wait_for("the end of readiness", || get(node.http, "/readyz").starts_with("HTTP/1.1 503"));
    let ready = get(node.http, "/readyz");
    assert!(ready.contains("\"draining\"") && ready.contains("\"calls\":1"), "{ready}");
    let late = Phone::new(node.sip, NUMBER, "late");
    assert_sent_away(&late.asks("INVITE", 1));
    assert_sent_away(&late.asks("OPTIONS", 2));
    caller.audio_packets();
    std::thread::sleep(Duration::from_millis(500));
    assert!(caller.audio_packets() > 10, "the call goes on");
    assert!(process.0.try_wait().expect("asks").is_none(), "the node waits for its call");
    caller.hangs_up();
    assert!(process.0.wait().expect("ends").success(), "a clean exit");
    let recorded = outcomes(data.path());
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    assert!(
        recorded[0]["reason"].as_str().is_some_and(|reason| reason.starts_with("caller_hung_up")),
        "{recorded:?}"
    );
}

#[test]
fn peer_a_node_that_is_hurried_says_goodbye_and_hangs_up() {
    let data = tempfile::tempdir().expect("a directory");
    let (mut process, node) = started(data.path(), &[]);
    let mut caller = Phone::new(node.sip, NUMBER, "hurried");
    caller.calls();
    terminate(&process);
    wait_for("the end of readiness", || get(node.http, "/readyz").starts_with("HTTP/1.1 503"));
    terminate(&process);
    let hurried = Instant::now();
    caller.is_hung_up_on();
    println!("hung up {:?} after the second signal", hurried.elapsed());
    assert!(caller.audio_packets() > 10, "it heard why");
    assert!(process.0.wait().expect("ends").success(), "a clean exit");
    let stopped = serde_json::json!({ "result": "server", "reason": "node_stopped" });
    assert_eq!(outcomes(data.path()), [stopped]);
}

#[test]
fn peer_a_full_node_says_so_and_is_ready_again_when_a_call_ends() {
    let data = tempfile::tempdir().expect("a directory");
    let (process, node) = started(data.path(), &[("STROWGER_CALLS_SUPERVISION_CALLS_MAX", "1")]);
    assert!(get(node.http, "/readyz").starts_with("HTTP/1.1 200"));
    let mut caller = Phone::new(node.sip, NUMBER, "first");
    caller.calls();
    wait_for("the session's count", || sessions(&node).as_deref() == Some("1"));
    let ready = get(node.http, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("full: 1 of 1 calls"), "{ready}");
    assert_sent_away(&Phone::new(node.sip, NUMBER, "second").asks("INVITE", 1));
    caller.hangs_up();
    wait_for("readiness", || get(node.http, "/readyz").starts_with("HTTP/1.1 200"));
    // No further call comes that would bring it up to date.
    wait_for("the session's end in the count", || sessions(&node).as_deref() == Some("0"));
    let mut again = Phone::new(node.sip, NUMBER, "again");
    again.calls();
    again.hangs_up();
    wait_for("three records", || {
        outcomes(data.path()).iter().filter(|outcome| !outcome.is_null()).count() == 3
    });
    let refused = serde_json::json!({ "result": "server", "reason": "refused" });
    assert!(outcomes(data.path()).contains(&refused), "{:?}", outcomes(data.path()));
    drop(process);
}

#[test]
fn peer_a_business_at_its_limit_is_busy_and_the_refusal_is_on_record() {
    let data = tempfile::tempdir().expect("a directory");
    let (process, node) = started(data.path(), &[]);
    let demo = include_str!("../../../ops/config/demo.toml");
    let file = data.path().join("one_call.toml");
    let limited = demo.replace("calls_at_once = 20", "calls_at_once = 1");
    assert_ne!(demo, limited);
    std::fs::write(&file, limited).expect("writes");
    strowger(data.path(), &["tenant", "import", &file.to_string_lossy()]).expect("imports");
    let mut caller = Phone::new(node.sip, NUMBER, "first");
    caller.calls();
    let busy = Phone::new(node.sip, NUMBER, "second").asks("INVITE", 1);
    assert!(busy.starts_with("SIP/2.0 486 "), "{busy}");
    let ready = get(node.http, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "others are taken: {ready}");
    caller.hangs_up();
    wait_for("both records", || {
        outcomes(data.path()).iter().filter(|outcome| !outcome.is_null()).count() == 2
    });
    let refused = serde_json::json!({ "result": "client", "reason": "refused" });
    let recorded = calls(data.path());
    let refusal = recorded.iter().find(|call| call["outcome"] == refused).expect("the refusal");
    assert!(refusal.to_string().contains("486"), "{refusal}");
    drop(process);
}

#[test]
fn peer_what_a_node_writes_is_its_user_s_only() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    std::fs::create_dir(&data).expect("made");
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("open to all");
    let (process, node) = started(&data, &[]);
    let mut caller = Phone::new(node.sip, NUMBER, "recorded");
    caller.calls();
    let kept = |files: &[PathBuf]| {
        files.iter().any(|file| file.parent().is_some_and(|of| of.parent() != Some(&data) && of != data))
    };
    wait_for("a piece of the recording", || kept(&files_in(&data)));
    caller.hangs_up();
    let ours = files_in(&data).into_iter().filter(|file| !file.ends_with("tones.toml"));
    for file in ours {
        let mode = std::fs::metadata(&file).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", file.display());
    }
    drop(process);
}

/// Files and folders below this one.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("reads").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_in(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[test]
fn peer_without_udp_a_node_is_called_by_tcp() {
    let data = tempfile::tempdir().expect("a directory");
    let environment = [("STROWGER_SIP_UDP", "off"), ("STROWGER_SIP_TCP", "127.0.0.1:0")];
    let words = ["run", "--demo", "--http", "127.0.0.1:0"];
    let _node = program_with(data.path(), &words, &environment);
    wait_for("the node", || Presence::find(data.path()).is_some());
    let _caller = program_with(data.path(), &["call", "where are you"], &[]);
    let answered = || calls(data.path()).iter().any(|call| !call["answered_at"].is_null());
    wait_for("the call", answered);
}
