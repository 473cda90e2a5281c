//! A node whose files may not grow, as on a full disk: `RLIMIT_FSIZE`, set and lifted while it runs.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use cluster::operator::Presence;

use super::phone::Phone;
use super::{NUMBER, get, outcomes, started};
use crate::node_life::{Process, command, terminate, wait_for};

/// Below the store's first page of rows and the shortest piece of a recording.
const FULL: &str = "8192";

pub(super) fn limit(node: &Process, bytes: &str) {
    let pid = node.0.id().to_string();
    let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status();
    assert!(set.expect("prlimit of util-linux").success(), "limits");
}

/// A node, and its log in the end. The log is a pipe: a file would be full, too.
pub(super) fn logged(data: &Path, more: &[(&str, &str)]) -> (Process, Presence, JoinHandle<String>) {
    let words = ["run", "--demo", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let environment = [&[("STROWGER_CALLS_SUPERVISION_WRITE_OUT_MS", "500")], more].concat();
    let started = command(data, &words, &environment).stderr(Stdio::piped()).spawn();
    let mut node = Process(started.expect("starts"));
    let mut pipe = node.0.stderr.take().expect("a pipe");
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        pipe.read_to_string(&mut log).expect("text");
        log
    });
    let runs = || Presence::find(data).filter(|presence| u32::try_from(presence.pid) == Ok(node.0.id()));
    wait_for("the node", || runs().is_some());
    let presence = runs().expect("runs");
    (node, presence, log)
}

#[test]
fn peer_a_full_disk_ends_no_call_and_floods_no_log() {
    let data = tempfile::tempdir().expect("a directory");
    let (mut node, presence, log) = logged(data.path(), &[]);
    let mut first = Phone::new(presence.sip, NUMBER, "first");
    first.calls();
    wait_for("its record", || outcomes(data.path()).len() == 1);
    limit(&node, FULL);
    let mut second = Phone::new(presence.sip, NUMBER, "second");
    second.calls();
    first.hangs_up();
    second.audio_packets();
    std::thread::sleep(Duration::from_secs(3));
    assert!(second.audio_packets() > 60, "the call goes on");
    let ready = get(presence.http, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200"), "calls are taken: {ready}");
    assert!(ready.contains("may not grow further"), "with a warning: {ready}");
    limit(&node, "unlimited");
    second.hangs_up();
    let over = serde_json::json!({ "result": "success", "reason": "caller_hung_up" });
    wait_for("both records, late", || outcomes(data.path()) == [over.clone(), over.clone()]);

    // Stopped while it is full: what the store never took is told by the exit, and found at the next start.
    let mut third = Phone::new(presence.sip, NUMBER, "third");
    third.calls();
    wait_for("its record", || outcomes(data.path()).len() == 3);
    limit(&node, FULL);
    third.hangs_up();
    terminate(&node);
    assert_eq!(node.0.wait().expect("ends").code(), Some(1), "a record is missing");
    let log = log.join().expect("read");
    let lines = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert!((1..=3).contains(&lines("a commit failed")), "once per trouble, not per try:\n{log}");
    assert_eq!(lines("commits succeed again"), 1, "{log}");
    assert!(log.contains("the records of 1 call(s)"), "{log}");

    let (again, _) = started(data.path(), &[]);
    let died = serde_json::json!({ "result": "indeterminate", "reason": "node_died" });
    assert_eq!(outcomes(data.path()), [over.clone(), over, died]);
    drop(again);
}
