//! Nodes that share one real Cassandra, and a Redis: killed, frozen, superseded.

use std::cell::Cell;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::Command;

use cluster::operator::Presence;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::phone::Phone;
use super::{NUMBER, get};
use crate::cassandra::Ring;
use crate::node_life::{Process, calls, configured, start_configured, stop, tones, wait_for};
use crate::redis_server::Server;

/// A node's data and its configuration: on this ring, with deadlines for a machine that runs it as well, and with
/// patience for callers who say nothing while it is started again.
pub(super) struct OnRing {
    pub(super) data: TempDir,
    pub(super) config: PathBuf,
}

impl OnRing {
    /// The node's own data. `node` and `more` go into its configuration.
    pub(super) fn new(ring: &Ring, node: &str, more: &str) -> Self {
        let data = TempDir::new().expect("a directory");
        let text = read_to_string(tones(data.path())).expect("reads");
        let points = ring.contact_points().join("\", \"");
        let text = format!(
            "{text}[node]\nstore = \"scylla\"\nstanding_ms = 500\nstore_wait_ms = 4000\n{node}\n\
             [scylla]\ncontact_points = [\"{points}\"]\ncopies = 1\ncall_path_ms = 3000\n\
             call_path_total_ms = 10000\ntotal_ms = 30000\nlwt_ms = 5000\n\
             [journal]\nwrite_ms = 2000\n\
             [calls.conversation]\nsilence_ms = 4000\nsilences_max = 200\n{more}"
        );
        let config = data.path().join("cluster.toml");
        std::fs::write(&config, text).expect("writes");
        Self { data, config }
    }

    pub(super) fn command(&self, words: &[&str]) -> Command {
        configured(self.data.path(), &self.config, words)
    }

    pub(super) fn migrate(&self) {
        assert!(self.command(&["store", "migrate"]).status().expect("runs").success(), "migrated");
    }

    pub(super) fn start(&self) -> (Process, Presence) {
        let node = start_configured(self.data.path(), &self.config, &[]);
        (node, Presence::find(self.data.path()).expect("runs"))
    }

    pub(super) fn path(&self) -> &Path {
        self.data.path()
    }

    /// The calls on record, oldest first, as this running node tells them.
    pub(super) fn calls(&self) -> Vec<Value> {
        calls(self.path()).into_iter().rev().collect()
    }
}

pub(super) fn metric(node: &Presence, name: &str) -> f64 {
    let metrics = get(node.http, "/metrics");
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(value).unwrap_or_default()
}

/// A caller who says nothing is asked again and again.
pub(super) fn goes_on(caller: &Phone) {
    caller.audio_packets();
    let heard = Cell::new(0);
    wait_for("a call that goes on", || {
        heard.set(heard.get() + caller.audio_packets());
        heard.get() > 10
    });
}

pub(super) fn died() -> Value {
    json!({ "result": "indeterminate", "reason": "node_died" })
}

pub(super) fn ended_well(call: &Value) -> bool {
    call["outcome"]["reason"].as_str().is_some_and(|reason| reason.starts_with("caller_hung_up"))
}

fn signal(node: &Process, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(node.0.id()).expect("a pid")), signal).expect("signals");
}

fn keys(server: &Server, part: &str) -> usize {
    server.say(&["keys", "*"]).lines().filter(|key| key.contains(part)).count()
}

/// Calls whose state is there; of one that is dropped a mark stays for a while.
fn states(server: &Server) -> usize {
    let there = |key: &str| server.say(&["hexists", key, "state"]).trim() == "1";
    server.say(&["keys", "*:state"]).lines().filter(|key| there(key)).count()
}

#[test]
fn peer_nodes_on_one_cassandra_close_their_own_dead_calls_only() {
    let (ring, server) = (Ring::start(1), Server::start(&[]));
    let shared = format!("[coordination]\nurl = \"{}\"\n", server.url());
    let on = |name: &str| OnRing::new(&ring, &format!("name = \"{name}\""), &shared);
    let (london, paris) = (on("london"), on("paris"));
    london.migrate();
    let (mut node, presence) = london.start();
    let (other, other_presence) = paris.start();
    let mut dies = Phone::new(presence.sip, NUMBER, "dies");
    dies.calls();
    let mut lives = Phone::new(other_presence.sip, NUMBER, "lives");
    lives.calls();
    wait_for("both calls", || paris.calls().len() == 2);
    wait_for("both in the directory", || keys(&server, ":entry") == 2 && states(&server) == 2);
    node.0.kill().expect("kills");
    node.0.wait().expect("is gone");
    let (again, _) = london.start();
    let held = |call: &Value| (call["held_by"]["node"].clone(), call["held_by"]["claim"].clone());
    let found = paris.calls();
    assert_eq!((&found[0]["outcome"], held(&found[0])), (&died(), (json!("london"), json!(1))));
    assert_eq!((&found[1]["outcome"], held(&found[1])), (&Value::Null, (json!("paris"), json!(0))));
    assert_eq!((keys(&server, ":entry"), states(&server)), (1, 1), "the dead call is forgotten");
    goes_on(&lives);
    lives.hangs_up();
    wait_for("its record", || ended_well(&paris.calls()[1]));
    assert_eq!(paris.calls()[0]["outcome"], died());
    assert!(stop(again) && stop(other), "clean exits");
}

#[test]
fn peer_a_process_that_was_superseded_writes_nothing_over_its_successor() {
    let ring = Ring::start(1);
    let on = |settings: &str| OnRing::new(&ring, &format!("name = \"london\"\n{settings}"), "");
    let (first, second) = (on(""), on(""));
    first.migrate();
    let (mut node, presence) = first.start();
    let mut caller = Phone::new(presence.sip, NUMBER, "outlives");
    caller.calls();
    wait_for("its record", || first.calls().len() == 1);
    signal(&node, Signal::SIGSTOP);
    let (successor, successor_presence) = second.start();
    let closed = second.calls();
    assert_eq!(closed[0]["outcome"], died());
    signal(&node, Signal::SIGCONT);
    goes_on(&caller);
    wait_for("the end of readiness", || get(presence.http, "/readyz").starts_with("HTTP/1.1 503"));
    let late = Phone::new(presence.sip, NUMBER, "late").asks("INVITE", 1);
    assert!(late.starts_with("SIP/2.0 503 "), "{late}");
    caller.hangs_up();
    assert_eq!(node.0.wait().expect("ends by itself").code(), Some(1), "and says that it was superseded");
    let left: Vec<Value> = second.calls().into_iter().filter(|call| call["id"] == closed[0]["id"]).collect();
    assert_eq!(left, closed, "the record is its successor's");
    let mut next = Phone::new(successor_presence.sip, NUMBER, "next");
    next.calls();
    next.hangs_up();
    wait_for("the next record", || second.calls().last().is_some_and(ended_well));
    assert!(stop(successor), "a clean exit");
}
