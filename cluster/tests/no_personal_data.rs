//! A whole call, logged at the most talkative level: nothing that was said, and nobody's number, is in the log or
//! in the metrics.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use clap::Parser;
use cluster::command::{Cli, run};
use cluster::config::load;
use cluster::node::{Node, Options};
use cluster::telemetry::{self, Metrics};
use parking_lot::Mutex;

use crate::command_line::strowger;
use crate::node_life::tones;

/// What nobody may read: the caller's number in several forms, the name, words of either side.
const PRIVATE: &[&str] =
    &["441632960958", "01632960958", "960958", "zebediah", "quartermain", "haircut", "tomorrow"];

/// The caller's number.
const NUMBER: &str = "+441632960958";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a call of these engines left behind.
struct Left {
    /// What the command line showed of it.
    shown: String,
    /// Its record, with the conversation.
    record: String,
    log: String,
    metrics: String,
}

/// The log and the metrics of this process: there is one of each.
static TOLD: LazyLock<(Log, Metrics)> = LazyLock::new(|| {
    let log = Log::default();
    let written = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || written.clone())
        .init();
    (log, telemetry::install_metrics().expect("the first in this process"))
});

fn call(data: &Path, config_file: &Path, said: &[&str]) -> Left {
    let (log, metrics) = &*TOLD;
    let mut config = load(Some(config_file), Vec::new()).expect("no mistakes");
    config.node.data = data.to_owned();
    config.http.address.set_port(0);
    config.sip.udp = "127.0.0.1:0".parse().ok();
    config.sip.tcp = None;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options { demo: true, metrics: metrics.clone() };
    let node = runtime.block_on(Node::start(config, options)).expect("starts");
    let (directory, file) = (data.to_string_lossy(), config_file.to_string_lossy());
    let line = ["strowger", "--data", &directory, "--config", &file, "--json", "call", "--from", NUMBER];
    let cli = Cli::try_parse_from(line.iter().chain(said)).expect("a command line");
    let mut shown = Vec::new();
    run(cli, &mut shown).expect("the call goes well");
    let metrics = metrics.render().to_lowercase();
    runtime.block_on(node.stop());
    let listed = strowger(data, &["calls", "list", "--json"]).expect("lists");
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("json");
    let id = listed["rows"][0]["id"].as_str().expect("a call");
    let record = strowger(data, &["calls", "show", id, "--json"]).expect("shows");
    let log = String::from_utf8_lossy(&log.0.lock()).to_lowercase();
    assert!(log.contains("call ended") && metrics.contains("strowger_calls_ended_total"), "nothing was seen");
    Left { shown: String::from_utf8(shown).expect("text"), record, log, metrics }
}

impl Left {
    fn has_nowhere(&self, private: &str) {
        let line = self.log.lines().find(|line| line.contains(private));
        assert_eq!(line, None, "{private} is in the log");
        assert!(!self.metrics.contains(private), "{private} is in the metrics");
    }
}

#[test]
fn nothing_private_is_logged_or_counted() {
    let data = tempfile::tempdir().expect("a directory");
    let said = ["i'd like a haircut tomorrow", "my name is zebediah quartermain"];
    let left = call(data.path(), &tones(data.path()), &said);
    // The words did pass: the record has them.
    assert!(left.shown.contains("zebediah") && left.shown.contains(NUMBER), "{}", left.shown);
    assert!(left.record.contains(NUMBER), "{}", left.record);
    PRIVATE.iter().for_each(|private| left.has_nowhere(private));
}

/// The same with engines that run in this process and may have a log of their own.
#[test]
fn peer_offline_engines_log_nothing_private() {
    let data = tempfile::tempdir().expect("a directory");
    let config = data.path().join("offline.toml");
    let engines = "[engines]\nspeech_to_text = \"pocketsphinx\"\ntext_to_speech = \"flite\"\n";
    std::fs::write(&config, engines).expect("writes");
    let chosen = load(Some(&config), Vec::new()).expect("no mistakes").engines;
    // Absent libraries fail here, with what to install; `ops/install test` brings them.
    models::engine::choose(&chosen).map(|_| ()).expect("the offline engines");
    let left = call(data.path(), &config, &["what are your opening hours on saturday"]);
    PRIVATE
        .iter()
        .filter(|private| private.starts_with(char::is_numeric))
        .for_each(|private| left.has_nowhere(private));
    // What was heard is what the engine makes of it, so it is looked for as it is on record, both sides' words.
    let record: serde_json::Value = serde_json::from_str(&left.record).expect("json");
    let mut texts = Vec::new();
    collect(&record, &mut texts);
    assert!(texts.iter().any(|text| text.contains("hours") || text.contains("saturday")), "{texts:?}");
    texts.iter().for_each(|text| left.has_nowhere(text));
}

/// Every text that is long enough to be somebody's words: several of them.
fn collect(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if text.split(' ').count() >= 3 => texts.push(text.to_lowercase()),
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        serde_json::Value::Object(members) => members.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}
