//! `run`.

use std::net::SocketAddr;

use clap::Args;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Error, Output};
use crate::config::{NodeConfig, Setting};
use crate::node::{Facts, Node, Options};
use crate::telemetry;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to take calls, by UDP and TCP [default: 0.0.0.0:5060]
    #[arg(long, value_name = "ADDRESS")]
    sip: Option<SocketAddr>,
    /// The HTTP address [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Take in a made-up business to call
    #[arg(long)]
    demo: bool,
}

impl Arguments {
    pub(super) fn flags(&self) -> Vec<Setting> {
        let mut flags = Vec::new();
        if let Some(sip) = self.sip {
            flags.push(Setting::flag("--sip", "sip.udp", sip.to_string()));
            flags.push(Setting::flag("--sip", "sip.tcp", sip.to_string()));
        }
        if let Some(http) = self.http {
            flags.push(Setting::flag("--http", "http.address", http.to_string()));
        }
        flags
    }
}

pub(super) async fn run(
    arguments: Arguments,
    config: NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let mut signals = Signals::listen()?;
    let metrics = telemetry::install_metrics()?;
    let node = Node::start(config, Options { demo: arguments.demo, metrics }).await?;
    output.show(&Shown::from(node.facts()), |_| words(node.facts()))?;
    let superseded = tokio::select! {
        () = signals.next() => false,
        () = node.superseded() => true,
    };
    tracing::info!(calls = node.calls(), "stopping, once these calls are over");
    eprintln!("stopping when {} call(s) are over; a second signal ends them now", node.calls());
    node.drain(signals.next()).await;
    let stopped = node.stop().await;
    tracing::info!(
        calls_ended = stopped.calls_ended,
        records_unwritten = stopped.records_unwritten,
        "stopped"
    );
    if stopped.records_unwritten > 0 {
        return Err(Error::Unwritten { records: stopped.records_unwritten });
    }
    if superseded {
        return Err(Error::Superseded);
    }
    Ok(())
}

/// The signals that ask a node to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Only listened to: unheard, a file that may not grow any more (`RLIMIT_FSIZE`) would end the process, and
    /// all its calls, where the write fails otherwise, as on a full disk.
    _file_size: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|why| Error::Runtime { why });
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            _file_size: listen(SignalKind::from_raw(nix::sys::signal::Signal::SIGXFSZ as i32))?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What a program that starts a node reads.
#[derive(Debug, Serialize)]
struct Shown {
    sip: SocketAddr,
    http: SocketAddr,
    inference: Option<SocketAddr>,
    number: Option<String>,
    engines: Vec<String>,
    calls_closed: usize,
    store_away: bool,
}

impl From<&Facts> for Shown {
    fn from(facts: &Facts) -> Self {
        Self {
            sip: facts.sip,
            http: facts.http,
            inference: facts.inference,
            number: facts.number.as_ref().map(|number| number.as_str().to_owned()),
            engines: facts.engines.iter().map(ToString::to_string).collect(),
            calls_closed: facts.calls_closed,
            store_away: facts.store_away,
        }
    }
}

/// What a person who starts a node reads.
fn words(facts: &Facts) -> String {
    let mut text: String = facts.engines.iter().map(|choice| format!("{choice}\n")).collect();
    if facts.calls_closed > 0 {
        text += &format!("closed the records of {} call(s) that a dead process left\n", facts.calls_closed);
    }
    if facts.store_away {
        text += "the store is away: calls are taken for numbers that were called here before, see the log\n";
    }
    text += &format!("data in {}, http://{}/metrics\n", facts.data.display(), facts.http);
    if let Some(inference) = facts.inference {
        text += &format!("engines for other nodes at {inference}\n");
    }
    match &facts.number {
        Some(number) => {
            let number = number.as_str();
            text += &format!(
                "call sip:{number}@{}{}, or say: strowger call \"What are your opening hours?\"\n",
                facts.sip,
                facts.transport.in_uri()
            );
        }
        None => text += "no business yet: strowger tenant import FILE, or start with --demo\n",
    }
    text
}
