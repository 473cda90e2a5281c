//! A run: start a node, let the callers come, hold them, count, hang up, look at the records.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::call::leg::{Events, Incoming, Leg, Reception, Refusal};
use cluster::clock;
use cluster::edge::media::Media;
use cluster::edge::{media, sip_trunk};
use cluster::sip::sdp::{Codec, Protection};
use models::engine::{self, TextToSpeech};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::caller::{self, Found, Line};
use crate::measure::{Cost, cost_of, pace, threads_of};
use crate::node::{NUMBER, Node};
use crate::pacing;
use crate::scenario::Scenario;
use crate::verdict::Measured;

/// How long the idle node is watched before the first call.
const IDLE: Duration = Duration::from_secs(3);
/// How long calls may take to end once all hang up.
const GRACE: Duration = Duration::from_secs(15);

type Failure = Box<dyn std::error::Error>;

/// Runs a scenario against a node that it starts from `program`.
///
/// # Errors
/// Where the node or the harness's own trunk can't be started, or the node dies.
pub async fn run(scenario: &Scenario, program: &Path) -> Result<Measured, Failure> {
    let pace = tokio::task::spawn_blocking(pace).await??;
    let node = Node::start(program, scenario.calls.saturating_mul(2)).await?;
    let (_, idle) = cost_during(node.pid(), IDLE).await?;
    let before = cost_of(node.pid()).ok_or("the node is gone")?;
    let line = Arc::new(open_line(scenario, &node).await?);
    let mut calls = begin_calls(scenario, &line).await;
    let own_before = cost_of(std::process::id()).unwrap_or_default();
    let hold = Duration::from_secs(scenario.hold_s);
    let threads_before = threads_of(node.pid());
    let (during, busy) = cost_during(node.pid(), hold).await?;
    let threads = threads_of(node.pid()).since(&threads_before);
    let own_after = cost_of(std::process::id()).unwrap_or_default();
    line.over.store(true, Ordering::Relaxed);
    let found = end_calls(&mut calls).await;
    line.trunk.stop(Duration::from_secs(2)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let records = node.calls(scenario.calls)?;
    let mut measured = count(scenario, &found, &records);
    measured.pace = pace;
    let percent = |seconds: f64| seconds / hold.as_secs_f64() * 100.0;
    measured.threads_cpu_percent =
        threads.into_iter().map(|(name, seconds)| (name, percent(seconds))).collect();
    measured.idle_cpu_percent = idle;
    measured.node_cpu_percent = busy;
    measured.harness_cpu_percent = percent(own_after.cpu_s - own_before.cpu_s);
    measured.memory_before_kb = before.memory_kb;
    measured.memory_during_kb = during.memory_kb;
    Ok(measured)
}

/// The cost at the end of a span, and the share of a core used during it, in percent.
async fn cost_during(pid: u32, span: Duration) -> Result<(Cost, f64), Failure> {
    let before = cost_of(pid).ok_or("the node is gone")?;
    tokio::time::sleep(span).await;
    let after = cost_of(pid).ok_or("the node died under the calls")?;
    Ok((after, (after.cpu_s - before.cpu_s) / span.as_secs_f64() * 100.0))
}

async fn open_line(scenario: &Scenario, node: &Node) -> Result<Line, Failure> {
    let media = Media::start(media::Settings {
        first_port: 30_000,
        last_port: 39_999,
        ..media::Settings::default()
    })?;
    let settings = sip_trunk::Settings {
        udp: Some("127.0.0.1:0".parse()?),
        tcp: None,
        codecs: scenario.codec.map_or_else(|| Codec::ALL.to_vec(), |codec| vec![codec]),
        srtp: if scenario.srtp { Protection::Offered } else { Protection::Accepted },
        ..sip_trunk::Settings::default()
    };
    let trunk = sip_trunk::Trunk::start(settings, Arc::new(NobodyHome), media).await?;
    let voice = caller_voice()?;
    Ok(Line {
        trunk,
        voice,
        target: format!("sip:{NUMBER}@{}", node.sip()),
        says: scenario.says.clone(),
        over: AtomicBool::new(false),
    })
}

/// The tones that the node's scripted recogniser reads back as words.
fn caller_voice() -> Result<Arc<dyn TextToSpeech>, Failure> {
    let settings = engine::Settings {
        speech_to_text: engine::SpeechToTextChoice::Off,
        text_to_speech: engine::TextToSpeechChoice::Scripted,
        ..engine::Settings::default()
    };
    let (engines, _) = engine::choose(&settings)?;
    engines.text_to_speech.ok_or_else(|| "the scripted voice is always there".into())
}

/// Lets the callers come at the scenario's rate.
async fn begin_calls(scenario: &Scenario, line: &Arc<Line>) -> JoinSet<Found> {
    let mut calls = JoinSet::new();
    let origin = clock::monotonic();
    for number in 0..scenario.calls {
        pacing::due(origin, number, scenario.calls_per_s).await;
        calls.spawn(caller::call(Arc::clone(line), number));
    }
    calls
}

async fn end_calls(calls: &mut JoinSet<Found>) -> Vec<Found> {
    let mut found = Vec::new();
    while let Ok(Some(outcome)) = tokio::time::timeout(GRACE, calls.join_next()).await {
        found.push(outcome.unwrap_or_default());
    }
    calls.abort_all();
    found
}

fn count(scenario: &Scenario, found: &[Found], records: &[Value]) -> Measured {
    let counted = |kept: &dyn Fn(&Found) -> bool| {
        u32::try_from(found.iter().filter(|found| kept(found)).count()).unwrap_or(u32::MAX)
    };
    let records_with = |kept: &dyn Fn(&Value) -> bool| {
        u32::try_from(records.iter().filter(|record| kept(record)).count()).unwrap_or(u32::MAX)
    };
    let mut set_up_ms: Vec<f64> = found.iter().filter_map(|found| found.set_up_ms).collect();
    set_up_ms.sort_by(f64::total_cmp);
    Measured {
        calls: scenario.calls,
        answered: counted(&|found| found.set_up_ms.is_some() && !found.cut_off),
        heard_by_caller: counted(&Found::heard),
        heard_by_receptionist: records_with(&|record| {
            record.get("heading").and_then(Value::as_str).is_some_and(|heading| heading != "nothing")
        }),
        recorded: records_with(&|record| record.get("ended_at").is_some_and(|at| !at.is_null())),
        set_up_ms,
        ..Measured::default()
    }
}

/// The harness calls; it takes no calls.
pub(crate) struct NobodyHome;

#[async_trait::async_trait]
impl Reception for NobodyHome {
    async fn offer(&self, _: Incoming, _: Arc<dyn Leg>) -> Result<Events, Refusal> {
        Err(Refusal::UnknownNumber)
    }
}
