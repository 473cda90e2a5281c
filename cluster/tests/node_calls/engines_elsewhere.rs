//! Calls that are heard and answered by other nodes' engines, while these are killed, stand still, or are full.

use std::path::Path;
use std::time::Duration;

use cluster::operator::Presence;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::coordination::metric;
use super::{NUMBER, Phone, assert_sent_away, started};
use crate::command_line::strowger;
use crate::node_life::{Process, calls, configured, start_configured, stop, tones, wait_for};

/// What the caller says in one breath.
const WORDS: &str = "hello there could you please tell me whether you take walk ins on a saturday afternoon";

/// A node whose engines work for others; tones are its speech.
struct Engines {
    process: Process,
    presence: Presence,
    data: TempDir,
}

impl Engines {
    fn start(more: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let own = [("STROWGER_NODE_ROLES", "[\"inference\"]"), ("STROWGER_INFERENCE_LISTEN", "127.0.0.1:0")];
        let environment: Vec<_> = own.iter().chain(more).copied().collect();
        let (process, presence) = started(data.path(), &environment);
        Self { process, presence, data }
    }

    fn url(&self) -> String {
        format!("http://{}", self.presence.inference.expect("its engines work for others"))
    }

    fn hears(&self) -> f64 {
        metric(&self.presence, "strowger_remote_served_streams{sense=\"hearing\"}")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.process.0.id()).expect("a pid"));
        kill(pid, signal).expect("signals");
    }
}

/// A node that takes calls and has no engines but others'.
struct Calls {
    data: TempDir,
    presence: Presence,
    process: Process,
}

impl Calls {
    fn start(engines: &[&Engines], senses: &str) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let nodes: Vec<String> = engines.iter().map(|node| node.url()).collect();
        let file = data.path().join("others.toml");
        std::fs::write(
            &file,
            format!("[engines]\n{senses}\nembeddings = \"off\"\n[inference]\nnodes = {nodes:?}\n"),
        )
        .expect("writes");
        let process = start_configured(data.path(), &file, &[]);
        let presence = Presence::find(data.path()).expect("runs");
        Self { data, presence, process }
    }

    fn metric(&self, name: &str) -> f64 {
        metric(&self.presence, name)
    }

    /// Somebody who calls and says this, in tones.
    fn caller(&self, words: &[&str]) -> Process {
        let mut all = vec!["call"];
        all.extend(words);
        Process::start(&mut configured(self.data.path(), &tones(self.data.path()), &all))
    }

    /// What callers were heard to say, in all calls.
    fn heard(&self) -> Vec<String> {
        let ids: Vec<String> = calls(self.data.path())
            .iter()
            .map(|call| call["id"].as_str().expect("an id").to_owned())
            .collect();
        ids.iter().flat_map(|id| said_in(self.data.path(), id, "caller")).collect()
    }
}

/// What that side says in a call.
fn said_in(data: &Path, call: &str, whom: &str) -> Vec<String> {
    let shown = strowger(data, &["calls", "show", "--json", call]).expect("shows");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    let events = shown["events"].as_array().expect("events").iter();
    let said = events.filter(|event| event["kind"]["speaker"] == whom);
    said.filter_map(|event| Some(event["kind"]["text"].as_str()?.to_owned())).collect()
}

const HEARD_ELSEWHERE: &str = "speech_to_text = \"remote\"\ntext_to_speech = \"scripted\"";

/// The caller speaks, their node is lost in mid-sentence, and the whole sentence is understood once.
fn is_understood_when(lose: impl Fn(&Engines)) {
    let nodes = [Engines::start(&[]), Engines::start(&[])];
    let node = Calls::start(&[&nodes[0], &nodes[1]], HEARD_ELSEWHERE);
    let _caller = node.caller(&[WORDS]);
    wait_for("the first words", || {
        node.metric("strowger_speech_to_text_partials_total{engine=\"remote\"") >= 3.0
    });
    let hears: Vec<&Engines> = nodes.iter().filter(|node| node.hears() > 0.0).collect();
    assert_eq!(hears.len(), 1, "one of them hears the caller");
    assert_eq!(node.heard(), Vec::<String>::new(), "the caller still speaks");
    lose(hears[0]);
    wait_for("what they said", || !node.heard().is_empty());
    assert_eq!(node.heard(), [WORDS]);
    assert!(node.metric("strowger_remote_moved_total{sense=\"hearing\"") >= 1.0);
    assert!(node.metric("strowger_remote_replayed_ms_count") >= 1.0);
    let failures = node.metric("strowger_recogniser_failed_total{");
    assert_eq!(failures, 0.0, "the call knows nothing of it");
    assert!(stop(node.process), "a clean exit");
}

#[test]
fn peer_a_call_goes_on_when_the_node_that_hears_it_is_killed() {
    is_understood_when(|node| node.signal(Signal::SIGKILL));
}

#[test]
fn peer_a_call_goes_on_when_the_node_that_hears_it_stands_still() {
    is_understood_when(|node| node.signal(Signal::SIGSTOP));
}

#[test]
fn peer_a_call_goes_on_when_the_node_that_hears_it_is_stopped_in_order() {
    is_understood_when(|node| node.signal(Signal::SIGTERM));
}

#[test]
fn peer_without_any_engine_left_the_call_is_told_and_later_ones_are_heard_here() {
    let mut nodes = vec![Engines::start(&[]), Engines::start(&[])];
    let node = Calls::start(&[&nodes[0], &nodes[1]], HEARD_ELSEWHERE);
    let own =
        Calls::start(&[&nodes[0], &nodes[1]], "speech_to_text = \"auto\"\ntext_to_speech = \"scripted\"");
    let mut phone = Phone::new(node.presence.sip, NUMBER, "left-alone");
    phone.calls();
    let mut second = Phone::new(own.presence.sip, NUMBER, "taken-over");
    second.calls();
    wait_for("both calls", || nodes.iter().map(Engines::hears).sum::<f64>() == 2.0);
    for node in nodes.drain(..) {
        node.signal(Signal::SIGKILL);
    }
    wait_for("the end of patience", || node.metric("strowger_remote_nobody_total{sense=\"hearing\"}") >= 1.0);
    wait_for("this node's own engine", || {
        own.metric("strowger_remote_instead_total{sense=\"hearing\"}") >= 1.0
    });
    assert_eq!(own.metric("strowger_recogniser_failed_total{"), 0.0, "the call knows nothing of it");
    for (phone, node) in [(&phone, &node), (&second, &own)] {
        phone.audio_packets();
        std::thread::sleep(Duration::from_millis(600));
        assert!(phone.audio_packets() > 10, "the call goes on");
        phone.hangs_up();
        wait_for("its record", || calls(node.data.path()).iter().all(|call| !call["outcome"].is_null()));
    }
    assert!(stop(node.process) && stop(own.process), "clean exits");
}

#[test]
fn peer_a_full_node_sends_calls_to_the_next() {
    let small = [("STROWGER_INFERENCE_SERVER_HEARING_MAX", "1")];
    let nodes = [Engines::start(&small), Engines::start(&small)];
    let node =
        Calls::start(&[&nodes[0], &nodes[1]], "speech_to_text = \"auto\"\ntext_to_speech = \"scripted\"");
    let phones: Vec<Phone> = (0..3)
        .map(|at| {
            let mut phone = Phone::new(node.presence.sip, NUMBER, &format!("phone{at}"));
            phone.calls();
            phone
        })
        .collect();
    wait_for("a call on each", || nodes.iter().all(|node| node.hears() == 1.0));
    wait_for("one here", || node.metric("strowger_remote_instead_total{sense=\"hearing\"}") == 1.0);
    assert_eq!(node.metric("strowger_recogniser_failed_total{"), 0.0);
    for phone in &phones {
        phone.hangs_up();
    }
    wait_for("room", || nodes.iter().all(|node| node.hears() == 0.0));
}

#[test]
fn peer_a_voice_elsewhere_is_another_node_s_when_its_own_is_killed() {
    let nodes = [Engines::start(&[]), Engines::start(&[])];
    let node =
        Calls::start(&[&nodes[0], &nodes[1]], "speech_to_text = \"remote\"\ntext_to_speech = \"remote\"");
    let granted =
        |engines: &Engines| metric(&engines.presence, "strowger_remote_granted_total{sense=\"speaking\"}");
    let greeted = |name: &str| {
        let mut phone = Phone::new(node.presence.sip, NUMBER, name);
        phone.calls();
        phone.audio_packets();
        std::thread::sleep(Duration::from_millis(600));
        assert!(phone.audio_packets() > 10, "{name} is greeted");
        phone.hangs_up();
    };
    greeted("first");
    let at = usize::from(granted(&nodes[1]) > 0.0);
    assert!(granted(&nodes[at]) > 0.0, "one of them speaks");
    nodes[at].signal(Signal::SIGKILL);
    let before = granted(&nodes[1 - at]);
    greeted("second");
    assert!(granted(&nodes[1 - at]) > before, "the other speaks");
    assert_eq!(node.metric("strowger_voice_failed_total{"), 0.0, "the call knows nothing of it");
}

#[test]
fn peer_a_call_that_no_engine_has_room_for_is_refused_and_taken_when_another_ends() {
    // Their store is a cluster that is nowhere: they keep nothing and don't look for it.
    let small = [("STROWGER_ENGINES_SCRIPTED_SESSIONS", "1"), ("STROWGER_NODE_STORE", "scylla")];
    let nodes = [Engines::start(&small), Engines::start(&small)];
    let node = Calls::start(&[&nodes[0], &nodes[1]], HEARD_ELSEWHERE);
    let mut phones: Vec<Phone> = ["first", "second"]
        .map(|name| {
            let mut phone = Phone::new(node.presence.sip, NUMBER, name);
            phone.calls();
            phone
        })
        .into();
    assert!(nodes.iter().all(|node| node.hears() == 1.0), "a place on each");
    assert_sent_away(&Phone::new(node.presence.sip, NUMBER, "third").asks("INVITE", 1));
    let refused = "strowger_calls_engines_full_total{sense=\"hearing\",why=\"full\"}";
    assert_eq!(node.metric(refused), 1.0);
    assert_eq!(node.metric("strowger_recogniser_failed_total{"), 0.0, "nobody was answered and not heard");
    phones.remove(0).hangs_up();
    wait_for("its place to be free", || nodes.iter().map(Engines::hears).sum::<f64>() == 1.0);
    let mut next = Phone::new(node.presence.sip, NUMBER, "next");
    next.calls();
    assert_eq!(nodes.iter().map(Engines::hears).sum::<f64>(), 2.0);
    phones.push(next);
    for phone in &phones {
        phone.hangs_up();
    }
    wait_for("room", || nodes.iter().all(|node| node.hears() == 0.0));
    for engines in &nodes {
        let kept = ["strowger.redb", "strowger.journal", "address.book", "search"];
        let is_there = |name: &&str| engines.data.path().join(name).exists();
        assert_eq!(kept.iter().find(|name| is_there(name)), None, "a node of engines keeps no store");
    }
}
