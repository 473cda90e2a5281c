//! Nodes as real processes: started, stopped, started again, killed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use cluster::operator::Presence;

use crate::command_line::strowger;

/// How long a node may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A node's configuration with tones for voices, so that no speech engine is needed.
pub(crate) fn tones(data: &Path) -> PathBuf {
    let file = data.join("tones.toml");
    std::fs::write(&file, "[engines]\nspeech_to_text = \"scripted\"\ntext_to_speech = \"scripted\"\n")
        .expect("writes");
    file
}

pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("starts"))
    }

    /// What it wrote, once it has ended.
    pub(crate) fn output(mut self) -> Output {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.0.stdout.take().expect("is piped").read_to_end(&mut stdout).expect("reads");
        self.0.stderr.take().expect("is piped").read_to_end(&mut stderr).expect("reads");
        Output { status: self.0.wait().expect("ends"), stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program with a configuration of its own, which nobody reads or writes.
pub(crate) fn configured(data: &Path, config: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.arg("--data").arg(data).arg("--config").arg(config).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn program(data: &Path, words: &[&str]) -> Process {
    program_with(data, words, &[])
}

pub(crate) fn program_with(data: &Path, words: &[&str], environment: &[(&str, &str)]) -> Process {
    Process::start(&mut command(data, words, environment))
}

/// The program with these words, silent.
pub(crate) fn command(data: &Path, words: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = configured(data, &tones(data), words);
    command.envs(environment.iter().copied());
    command
}

pub(crate) fn start(data: &Path) -> Process {
    start_with(data, &[])
}

/// A node with the demo business that takes calls, with these environment variables.
pub(crate) fn start_with(data: &Path, environment: &[(&str, &str)]) -> Process {
    start_configured(data, &tones(data), environment)
}

/// The same with a configuration of its own.
pub(crate) fn start_configured(data: &Path, config: &Path, environment: &[(&str, &str)]) -> Process {
    let words = ["run", "--demo", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let node = Process::start(configured(data, config, &words).envs(environment.iter().copied()));
    wait_for("the node's presence", || {
        Presence::find(data).is_some_and(|presence| u32::try_from(presence.pid) == Ok(node.0.id()))
    });
    node
}

pub(crate) fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let times = PATIENCE.as_millis() / LOOK_EVERY.as_millis();
    for _ in 0..times {
        if is_so() {
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    panic!("no sign of {what} in {PATIENCE:?}");
}

pub(crate) fn terminate(node: &Process) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(node.0.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("signals");
}

pub(crate) fn stop(mut node: Process) -> bool {
    terminate(&node);
    node.0.wait().expect("ends").success()
}

pub(crate) fn calls(data: &Path) -> Vec<serde_json::Value> {
    let listed = strowger(data, &["calls", "list", "--json"]).expect("lists");
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("json");
    listed["rows"].as_array().expect("rows").clone()
}

#[test]
fn peer_a_node_is_stopped_and_started_again_on_its_data() {
    let data = tempfile::tempdir().expect("a directory");
    for _ in 0..2 {
        let node = start(data.path());
        // The running node answers, and the store is its own.
        let listed = strowger(data.path(), &["tenant", "list"]).expect("asks the node");
        assert!(listed.contains("fleet-street-barbers"), "{listed}");
        let mut second = program(data.path(), &["run", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        assert!(!second.0.wait().expect("ends").success(), "two nodes on one directory");
        assert!(stop(node), "a clean exit");
        assert_eq!(Presence::find(data.path()), None);
    }
    let listed = strowger(data.path(), &["tenant", "list"]).expect("opens the store itself");
    assert!(listed.contains("fleet-street-barbers"), "{listed}");
}

#[test]
fn peer_a_call_whose_node_was_killed_has_a_record_that_says_so() {
    let data = tempfile::tempdir().expect("a directory");
    let mut node = start(data.path());
    let _caller = program(data.path(), &["call", "do you take walk ins", "where are you"]);
    wait_for("the call", || !calls(data.path()).is_empty());
    let under_way = calls(data.path());
    assert!(under_way.iter().all(|call| call["outcome"].is_null()), "{under_way:?}");
    node.0.kill().expect("kills");
    node.0.wait().expect("is gone");
    let again = start(data.path());
    let closed = calls(data.path());
    let first = closed.first().expect("the call");
    assert_eq!(first["id"], under_way.first().expect("the call")["id"]);
    assert_eq!(first["outcome"], serde_json::json!({ "result": "indeterminate", "reason": "node_died" }));
    assert!(stop(again), "a clean exit");
}
