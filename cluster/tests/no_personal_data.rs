//! A whole call, logged at the most talkative level: nothing that was said, and nobody's number, is in the log or
//! in the metrics.

use std::io::Write;
use std::sync::Arc;

use clap::Parser;
use cluster::command::{Cli, run};
use cluster::config::load;
use cluster::node::{Node, Options};
use cluster::telemetry;
use parking_lot::Mutex;

use crate::command_line::strowger;
use crate::node_life::tones;

/// What nobody may read: the caller's number in several forms, the name, words of either side.
const PRIVATE: &[&str] =
    &["441632960958", "01632960958", "960958", "zebediah", "quartermain", "haircut", "tomorrow"];

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

#[test]
fn nothing_private_is_logged_or_counted() {
    let data = tempfile::tempdir().expect("a directory");
    let config_file = tones(data.path());
    let log = Log::default();
    let written = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || written.clone())
        .init();
    let metrics = telemetry::install_metrics().expect("the first in this process");
    let mut config = load(Some(&config_file), Vec::new()).expect("no mistakes");
    config.node.data = data.path().to_owned();
    config.http.address.set_port(0);
    config.sip.udp = "127.0.0.1:0".parse().ok();
    config.sip.tcp = None;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options { demo: true, metrics: metrics.clone() };
    let node = runtime.block_on(Node::start(config, options)).expect("starts");

    let (directory, file) = (data.path().to_string_lossy(), config_file.to_string_lossy());
    let line = ["strowger", "--data", &directory, "--config", &file, "--json", "call", "--from"];
    let said = ["+441632960958", "i'd like a haircut tomorrow", "my name is zebediah quartermain"];
    let cli = Cli::try_parse_from(line.into_iter().chain(said)).expect("a command line");
    let mut shown = Vec::new();
    run(cli, &mut shown).expect("the call goes well");
    let rendered = metrics.render();
    runtime.block_on(node.stop());

    // The words did pass: the record has them.
    let shown = String::from_utf8(shown).expect("text");
    assert!(shown.contains("zebediah") && shown.contains("+441632960958"), "{shown}");
    assert!(strowger(data.path(), &["calls", "list"]).expect("lists").contains("+441632960958"));
    let log = String::from_utf8_lossy(&log.0.lock()).to_lowercase();
    assert!(
        log.contains("call ended") && rendered.contains("strowger_calls_ended_total"),
        "nothing was seen"
    );
    for private in PRIVATE {
        let line = log.lines().find(|line| line.contains(private));
        assert_eq!(line, None, "{private} is in the log");
        assert!(!rendered.to_lowercase().contains(private), "{private} is in the metrics");
    }
}
