//! Backups and copies of a node's store, by the program itself: of a running node, restored elsewhere, cut off,
//! changed, killed, out of room.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use actors::storage::{Embedded, Storage, embedded};
use actors::types::{CallEvent, CallEventKind, CallId, CallTime};
use tempfile::TempDir;

use cluster::operator::Presence;
use nix::sys::signal::Signal;

use crate::cassandra::Ring;
use crate::command_line::{DEMO, expect, sample, strowger};
use crate::node_calls::{Phone, get};
use crate::node_life::{
    Process, calls, command, configured, start_configured, start_with, stop, tones, wait_for,
};

/// A file with a key, which only its owner reads.
fn key(folder: &Path) -> PathBuf {
    let path = folder.join("backup.key");
    std::fs::write(&path, "5a".repeat(32)).expect("writes");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("closes");
    path
}

/// A data directory with a business, two calls, an appointment and a message.
fn filled() -> TempDir {
    let data = TempDir::new().expect("a directory");
    strowger(data.path(), &["tenant", "import", DEMO]).expect("imports");
    sample::write(data.path());
    data
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn back_up(data: &Path, to: &Path, key: &Path) -> Result<String, String> {
    strowger(data, &["store", "backup", "--to", text(to), "--key-file", text(key), "--recordings"])
}

fn restore(data: &Path, from: &Path, key: &Path) -> Result<String, String> {
    strowger(data, &["store", "restore", "--from", text(from), "--key-file", text(key)])
}

#[test]
fn a_store_is_checked_migrated_backed_up_and_restored() {
    let (data, aside) = (filled(), TempDir::new().expect("a directory"));
    expect("store_check.txt", &strowger(data.path(), &["store", "check"]).expect("sound"));
    expect("store_migrate.txt", &strowger(data.path(), &["store", "migrate"]).expect("nothing to do"));
    let (key, file, new) = (key(aside.path()), aside.path().join("b"), aside.path().join("new"));
    expect("store_backup.txt", &back_up(data.path(), &file, &key).expect("backed up"));
    let told = back_up(data.path(), &file, &key).expect_err("there already");
    assert!(told.contains("is there already"), "{told}");
    expect("store_restore.txt", &restore(&new, &file, &key).expect("restored"));
    expect("calls_show.txt", &strowger(&new, &["calls", "show", sample::CALL]).expect("shows"));
    expect("store_check.txt", &strowger(&new, &["store", "check"]).expect("sound"));
    let told = restore(&new, &file, &key).expect_err("not empty");
    assert!(told.contains("is not empty") && told.contains("--data"), "{told}");
    let json = strowger(data.path(), &["store", "check", "--json"]).expect("sound");
    let json: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!((&json["faults_total"], &json["rows"]["calls"]), (&0.into(), &2.into()));
}

#[test]
fn a_backup_that_is_not_whole_or_not_ones_own_restores_nothing() {
    let (data, aside) = (filled(), TempDir::new().expect("a directory"));
    let (key, file) = (key(aside.path()), aside.path().join("b"));
    back_up(data.path(), &file, &key).expect("backed up");
    let whole = std::fs::read(&file).expect("reads");
    let (new, bad) = (aside.path().join("new"), aside.path().join("bad"));
    let refused = |bytes: &[u8]| {
        std::fs::write(&bad, bytes).expect("writes");
        let told = restore(&new, &bad, &key).expect_err("refused");
        assert!(!new.exists() && !aside.path().join("new.restoring").exists(), "nothing is left: {told}");
        told
    };
    assert!(refused(&whole[..whole.len() - 100]).contains("cut off"));
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    assert!(refused(&changed).contains("changed"));
    let mut newer = whole.clone();
    newer[16] = b'7';
    assert!(refused(&newer).contains("newer program"));
    assert!(refused(b"a shopping list, and not a backup at all").contains("no backup"));
    std::fs::write(&key, "5b".repeat(32)).expect("writes");
    assert!(refused(&whole).contains("not this backup's"));
}

#[test]
fn a_store_is_copied_and_compared() {
    let (data, other) = (filled(), TempDir::new().expect("a directory"));
    let url = |path: &Path| format!("embedded:{}", path.display());
    let (from, to) = (url(data.path()), url(other.path()));
    let copy = || strowger(data.path(), &["store", "copy", "--from", &from, "--to", &to]);
    expect("store_copy.txt", &copy().expect("copied"));
    expect("store_copy.txt", &copy().expect("again, changing nothing"));
    let shown = strowger(other.path(), &["calls", "show", sample::CALL]).expect("shows");
    expect("calls_show.txt", &shown);
    // Back, into the store that it came from, and into itself.
    let back = strowger(data.path(), &["store", "copy", "--from", &to, "--to", &from]).expect("back");
    expect("store_copy.txt", &back);
    let told = strowger(data.path(), &["store", "copy", "--from", &from, "--to", &from]).expect_err("itself");
    assert!(told.contains("into itself"), "{told}");
    // What the source lacks is told.
    let store = Embedded::open(&other.path().join("strowger.redb"), &embedded::Settings::default());
    let store = store.expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.append_events(CallId::default(), &[event(0)])).expect("writes");
    store.close();
    let told = copy().expect_err("more in it");
    assert!(told.contains("differ in events"), "{told}");
    // What the source has otherwise is not written over.
    let other_event = CallEvent { at: CallTime::from_ms(9), ..event(0) };
    let source = Embedded::open(&data.path().join("strowger.redb"), &embedded::Settings::default());
    let source = source.expect("opens");
    runtime.block_on(source.append_events(CallId::default(), &[other_event])).expect("writes");
    source.close();
    let told = copy().expect_err("another one");
    assert!(told.contains("another call event"), "{told}");
    let told = strowger(data.path(), &["store", "copy", "--from", "embedded:/nowhere/at/all", "--to", &to]);
    assert!(told.expect_err("nothing there").contains("no store in"));
}

fn event(seq: u32) -> CallEvent {
    let kind = CallEventKind::Trouble { what: format!("event {seq}") };
    CallEvent { seq, at: CallTime::from_ms(u64::from(seq)), kind }
}

#[test]
fn peer_a_copy_that_is_killed_goes_on() {
    let (data, other) = (filled(), TempDir::new().expect("a directory"));
    let store = Embedded::open(&data.path().join("strowger.redb"), &embedded::Settings::default());
    let store = store.expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let events: Vec<CallEvent> = (0..4_000).map(event).collect();
    runtime.block_on(store.append_events(CallId::default(), &events)).expect("writes");
    store.close();
    let url = |path: &Path| format!("embedded:{}", path.display());
    let (from, to) = (url(data.path()), url(other.path()));
    let words = ["store", "copy", "--from", &from, "--to", &to, "--rows", "5"];
    let progress = other.path().join("strowger.copying.json");
    let mut last = String::new();
    for _ in 0..3 {
        let mut copying = Process::start(&mut command(data.path(), &words, &[]));
        wait_for("progress", || {
            std::fs::read_to_string(&progress).is_ok_and(|now| now.contains("events") && now != last)
        });
        copying.0.kill().expect("kills");
        copying.0.wait().expect("is gone");
        last = std::fs::read_to_string(&progress).expect("it is left");
    }
    let copied = strowger(data.path(), &[&words[..6], &["--rows", "500"]].concat()).expect("goes on");
    assert!(copied.contains("4012") && !copied.contains("different"), "{copied}");
    assert!(!progress.exists());
}

/// A backup of a node that runs and has a call, restored by another process, plays the same sound.
#[test]
fn peer_a_running_node_is_backed_up_and_restored_elsewhere() {
    let (data, aside) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    // Segments are µ-law, byte for byte; what is merged is Opus, and plays no longer as the same bytes.
    let node = start_with(data.path(), &[("STROWGER_RECORDINGS_MERGE_ENABLED", "false")]);
    let mut call = Process::start(&mut command(data.path(), &["call", "do you take walk ins"], &[]));
    call.0.wait().expect("ends");
    wait_for("the record", || calls(data.path()).first().is_some_and(|call| !call["outcome"].is_null()));
    let (key, file, new) = (key(aside.path()), aside.path().join("b"), aside.path().join("new"));
    let words = ["store", "backup", "--to", text(&file), "--key-file", text(&key), "--recordings"];
    let made = strowger(data.path(), &[&words[..], &["--with-master-key"]].concat()).expect("backed up");
    assert!(made.contains("included") && !made.contains("audio        0"), "{made}");
    assert!(strowger(data.path(), &["store", "check"]).is_ok(), "a running node's store is checked");
    let id = calls(data.path())[0]["id"].as_str().expect("an id").to_owned();
    let shown = strowger(data.path(), &["calls", "show", &id]).expect("shows");
    let original = aside.path().join("original.wav");
    strowger(data.path(), &["calls", "play", &id, "--out", text(&original)]).expect("plays");
    assert!(stop(node), "a clean exit");
    drop(data);

    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        command.arg("--data").arg(&new).args(words).stdin(Stdio::null());
        let output = command.output().expect("runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    run(&["store", "restore", "--from", text(&file), "--key-file", text(&key)]);
    assert_eq!(run(&["calls", "show", &id]), shown);
    let played = aside.path().join("played.wav");
    run(&["calls", "play", &id, "--out", text(&played)]);
    let sound = std::fs::read(&played).expect("reads");
    assert!(sound.len() > 16_000 && sound == std::fs::read(&original).expect("reads"));
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&new), mode(&new.join("master.key"))), (0o700, 0o600));
}

#[test]
fn peer_a_backup_without_room_leaves_nothing_and_says_so() {
    let (data, aside) = (filled(), TempDir::new().expect("a directory"));
    let (key, file) = (key(aside.path()), aside.path().join("b"));
    let audio = data.path().join("recordings/barbers/1/00000000.sealed");
    std::fs::create_dir_all(audio.parent().expect("a folder")).expect("makes");
    std::fs::write(audio, vec![7; 20 << 20]).expect("writes");
    let words = ["store", "backup", "--to", text(&file), "--key-file", text(&key), "--recordings"];
    // A process that writes beyond its limit is sent SIGXFSZ; ignored, it gets an error as from a full disk.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 16384; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_strowger")]);
    limited.arg("--data").arg(data.path()).arg("--config").arg(tones(data.path())).args(words);
    let output = limited.stdin(Stdio::null()).output().expect("runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("File too large"), "{told}");
    let left: Vec<_> = std::fs::read_dir(aside.path()).expect("reads").collect();
    assert_eq!(left.len(), 1, "the key only: {left:?}");
    back_up(data.path(), &file, &key).expect("with room it works");
}

/// Into a cluster and back, by real Apache Cassandra: what comes back is what was sent, row by row.
#[test]
fn peer_a_store_goes_to_a_cluster_and_comes_back() {
    let (data, back) = (filled(), TempDir::new().expect("a directory"));
    let ring = Ring::start(1);
    let cluster = format!("scylla://{}/copied", ring.contact_point(0));
    let config = data.path().join("one-copy.toml");
    let patience = "call_path_ms = 3000\ncall_path_total_ms = 10000\ntotal_ms = 30000\nlwt_ms = 5000\n";
    std::fs::write(&config, format!("[scylla]\ncopies = 1\n{patience}")).expect("writes");
    let copy = |from: &str, to: &str| {
        let words = ["--config", text(&config), "store", "copy", "--from", from, "--to", to];
        strowger(data.path(), &words).expect("copied")
    };
    let here = format!("embedded:{}", data.path().display());
    let there = format!("embedded:{}", back.path().display());
    expect("store_copy.txt", &copy(&here, &cluster));
    expect("store_copy.txt", &copy(&here, &cluster));
    expect("store_copy.txt", &copy(&cluster, &there));
    let shown = strowger(back.path(), &["calls", "show", sample::CALL]).expect("shows");
    expect("calls_show.txt", &shown);
    expect("store_check.txt", &strowger(back.path(), &["store", "check"]).expect("sound"));
}

/// A node on a cluster that is stopped in mid-call: the call goes on, ends, and its record is kept by the node; it
/// is in the cluster when that is back.
#[test]
fn peer_a_call_goes_on_while_its_cluster_is_away() {
    let data = TempDir::new().expect("a directory");
    let ring = Ring::start(1);
    let config = tones(data.path());
    let words = "call_path_ms = 3000\ncall_path_total_ms = 10000\ntotal_ms = 30000\nlwt_ms = 5000\n";
    let more = format!(
        "[node]\nstore = \"scylla\"\n[scylla]\ncontact_points = [\"{}\"]\ncopies = 1\n{words}\n[journal]\nwrite_ms = 2000\n",
        ring.contact_point(0)
    );
    let text = std::fs::read_to_string(&config).expect("reads") + &more;
    let config = data.path().join("cluster.toml");
    std::fs::write(&config, text).expect("writes");
    let migrate = configured(data.path(), &config, &["store", "migrate"]).status().expect("runs");
    assert!(migrate.success());
    let node = start_configured(data.path(), &config, &[]);
    let presence = Presence::find(data.path()).expect("runs");
    let mut phone = Phone::new(presence.sip, "1000", "first");
    phone.calls();
    wait_for("its record", || calls(data.path()).len() == 1);
    ring.signal(0, Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(3));
    phone.audio_packets();
    std::thread::sleep(Duration::from_secs(2));
    assert!(phone.audio_packets() > 40, "the call goes on");
    phone.hangs_up();
    let waiting = || get(presence.http, "/metrics");
    let rows = |metrics: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix("strowger_storage_journal_writes "));
        line.and_then(|line| line.parse::<f64>().ok()).unwrap_or_default()
    };
    wait_for("what is kept", || rows(&waiting()) > 0.0);
    ring.signal(0, Signal::SIGCONT);
    wait_for("the record", || {
        calls(data.path()).first().is_some_and(|call| call["outcome"]["result"] == "success")
    });
    wait_for("an empty journal", || rows(&waiting()) == 0.0);
    assert!(stop(node), "a clean exit, with nothing unwritten");
}
