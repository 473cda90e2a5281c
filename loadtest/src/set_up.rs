//! A ramp of short calls against a node of its own: how many a second are answered, and how fast.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::call::leg::{Command, Event, Events};
use cluster::clock;
use cluster::edge::media::Media;
use cluster::edge::sip_trunk::Trunk;
use cluster::edge::{media, sip_trunk};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::measure::cost_of;
use crate::node::{NUMBER, Node};
use crate::pacing;
use crate::ramp::{Broke, Ramp, Step, knee};
use crate::report::Machine;
use crate::run::NobodyHome;

/// Events that may wait for a call.
const EVENTS_MAX: usize = 32;
/// How long a call that was hung up may take to end.
const END: Duration = Duration::from_secs(5);
/// Calls that a node is set up for at once.
const CALLS_MAX: u32 = 10_000;

type Failure = Box<dyn std::error::Error>;

/// Runs a ramp against a node that it starts from `program`, until it breaks.
///
/// # Errors
/// Where the node or the generator's own trunk can't be started, or the node dies.
pub async fn run(ramp: &Ramp, program: &Path) -> Result<Vec<Step>, Failure> {
    let node = Node::start(program, CALLS_MAX).await?;
    let media = Media::start(media::Settings {
        first_port: 30_000,
        last_port: 59_999,
        quarantine_ms: 0,
        ..media::Settings::default()
    })?;
    let settings = sip_trunk::Settings {
        udp: Some("127.0.0.1:0".parse()?),
        tcp: None,
        transactions_max: 1_000_000,
        dialogs_max: 100_000,
        ..sip_trunk::Settings::default()
    };
    let trunk = Arc::new(Trunk::start(settings, Arc::new(NobodyHome), media).await?);
    let target = format!("sip:{NUMBER}@{}", node.sip());
    let mut steps = Vec::new();
    for rate in &ramp.calls_per_s {
        let step = step(ramp, *rate, &trunk, &target, node.pid()).await?;
        eprintln!("{}", row(&step));
        let broke = step.broke(&ramp.held).is_some();
        steps.push(step);
        if broke {
            break;
        }
        tokio::time::sleep(Duration::from_secs(ramp.rest_s)).await;
    }
    trunk.stop(Duration::from_secs(2)).await;
    Ok(steps)
}

async fn step(ramp: &Ramp, rate: f64, trunk: &Arc<Trunk>, target: &str, pid: u32) -> Result<Step, Failure> {
    let calls = (rate * ramp.step_s as f64) as u32;
    let patience = Duration::from_millis(ramp.answer_ms_max);
    let (node, own) = (cost_of(pid).ok_or("the node is gone")?, cost_of(std::process::id()));
    let origin = clock::monotonic();
    let mut going = JoinSet::new();
    for number in 0..calls {
        pacing::due(origin, number, rate).await;
        going.spawn(short_call(Arc::clone(trunk), target.to_owned(), number, patience));
    }
    let took = clock::since(origin).as_secs_f64();
    let node_after = cost_of(pid).ok_or("the node died under the calls")?;
    let own_after = cost_of(std::process::id());
    let mut set_up_ms = Vec::new();
    while let Some(done) = going.join_next().await {
        set_up_ms.extend(done.ok().flatten());
    }
    set_up_ms.sort_by(f64::total_cmp);
    let share = |before: f64, after: f64| (after - before) / took * 100.0;
    Ok(Step {
        wanted_per_s: rate,
        begun_per_s: f64::from(calls) / took.max(ramp.step_s as f64),
        calls: calls as usize,
        set_up_ms,
        node_cpu_percent: share(node.cpu_s, node_after.cpu_s),
        generator_cpu_percent: share(own.unwrap_or_default().cpu_s, own_after.unwrap_or_default().cpu_s),
    })
}

/// Calls, and hangs up once it is answered; how long that took, in milliseconds.
async fn short_call(trunk: Arc<Trunk>, target: String, number: u32, patience: Duration) -> Option<f64> {
    let (sender, mut events) = mpsc::channel(EVENTS_MAX);
    let sink: Events = Arc::new(move |event| {
        let _ = sender.try_send(event);
    });
    let begun = clock::monotonic();
    let from = format!("sip:+4420{number:08}@127.0.0.1");
    let leg = trunk.call(&target, &from, sink).await.ok()?;
    let answered = async {
        loop {
            match events.recv().await {
                Some(Event::Established) => return Some(clock::since(begun).as_secs_f64() * 1_000.0),
                Some(Event::Ended(_) | Event::Refused(_)) | None => return None,
                Some(_) => {}
            }
        }
    };
    let set_up_ms = tokio::time::timeout(patience, answered).await.ok().flatten();
    let _ = leg.command(Command::HangUp);
    let ended = async { while !matches!(events.recv().await, Some(Event::Ended(_)) | None) {} };
    let _ = tokio::time::timeout(END, ended).await;
    set_up_ms
}

fn row(step: &Step) -> String {
    format!(
        "| {:.0} | {:.1} | {} | {:.2} % | {:.2} | {:.2} | {:.2} | {:.0} % | {:.0} % |",
        step.wanted_per_s,
        step.begun_per_s,
        step.calls,
        step.answered_percent(),
        step.percentile_ms(50),
        step.percentile_ms(95),
        step.percentile_ms(99),
        step.node_cpu_percent,
        step.generator_cpu_percent
    )
}

/// The report as Markdown.
#[must_use]
pub fn markdown(ramp: &Ramp, steps: &[Step], machine: &Machine) -> String {
    let mut text = format!("# set_up: {}\n\n", ramp.about);
    let _ = writeln!(
        text,
        "Machine: {}, {} cores shared by node and generator, Linux {}. {} s a step.\n",
        machine.processor, machine.cores, machine.kernel, ramp.step_s
    );
    text.push_str(
        "| calls/s | begun | calls | answered | set-up p50 ms | p95 | p99 | node, of a core | generator |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for step in steps {
        let _ = writeln!(text, "{}", row(step));
    }
    let _ = match knee(steps, &ramp.held) {
        Some(step) => writeln!(
            text,
            "\nThe last step that was held: {:.0} calls/s, p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms; the generator's \
             share of what both used: {:.0} %.",
            step.wanted_per_s,
            step.percentile_ms(50),
            step.percentile_ms(95),
            step.percentile_ms(99),
            step.generator_cpu_percent / (step.generator_cpu_percent + step.node_cpu_percent).max(1.0)
                * 100.0
        ),
        None => writeln!(text, "\nNot even the first step was held."),
    };
    let _ = match steps.last().and_then(|step| Some((step, step.broke(&ramp.held)?))) {
        Some((step, why)) => writeln!(text, "Broke at {:.0} calls/s: {}.", step.wanted_per_s, said(why)),
        None => writeln!(text, "It never broke: that is a floor, not the knee."),
    };
    text
}

const fn said(why: Broke) -> &'static str {
    match why {
        Broke::Unanswered => "calls were not answered",
        Broke::Late => "calls were answered late",
        Broke::Generator => "the generator could not begin as many",
    }
}
