//! `loadtest <scenario>`, or `loadtest set_up` for a ramp: runs a scenario against a node that it starts, prints the verdict, and ends with 1
//! where a call was lost. A missed budget is reported, not failed: this machine may be slower than it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cluster::sip::sdp::Codec;
use loadtest::ramp::{self, Ramp};
use loadtest::scenario::{self, Scenario};
use loadtest::{report, run, set_up};

/// Calls a node and says what it cost.
#[derive(Debug, Parser)]
struct Arguments {
    /// The scenario's name, as in `loadtest/scenarios/<name>.toml`.
    scenario: String,
    /// The node's program; built by `cargo build --release`.
    #[arg(long, default_value = "target/release/strowger")]
    strowger: PathBuf,
    /// Calls at once, where not the scenario's.
    #[arg(long)]
    calls: Option<u32>,
    /// Seconds that all calls stay up, where not the scenario's.
    #[arg(long)]
    hold_s: Option<u64>,
    /// The codec that the callers offer: pcmu, pcma, g722 or opus.
    #[arg(long, value_parser = codec)]
    codec: Option<Codec>,
    /// Whether they offer SRTP with keys in the description.
    #[arg(long)]
    srtp: bool,
    /// Also write the report here.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("loadtest: {why}");
            ExitCode::from(2)
        }
    }
}

fn codec(name: &str) -> Result<Codec, String> {
    Codec::ALL
        .into_iter()
        .find(|codec| codec.name() == name)
        .ok_or_else(|| "write pcmu, pcma, g722 or opus".to_owned())
}

fn measure(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let ramp = PathBuf::from("loadtest/ramps").join(format!("{}.toml", arguments.scenario));
    if ramp.exists() {
        let ramp: Ramp = scenario::read(&ramp)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let steps = runtime.block_on(set_up::run(&ramp, &arguments.strowger))?;
        tell(&set_up::markdown(&ramp, &steps, &report::Machine::this()), arguments)?;
        return Ok(ramp::knee(&steps, &ramp.held).is_some());
    }
    let path = PathBuf::from("loadtest/scenarios").join(format!("{}.toml", arguments.scenario));
    let mut scenario = Scenario::read(&path)?;
    scenario.calls = arguments.calls.unwrap_or(scenario.calls);
    scenario.hold_s = arguments.hold_s.unwrap_or(scenario.hold_s);
    scenario.codec = arguments.codec.or(scenario.codec);
    scenario.srtp |= arguments.srtp;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(run::run(&scenario, &arguments.strowger))?;
    let text = report::markdown(&arguments.scenario, &scenario, &measured, &report::Machine::this());
    tell(&text, arguments)?;
    Ok(measured.is_whole())
}

fn tell(text: &str, arguments: &Arguments) -> std::io::Result<()> {
    println!("{text}");
    arguments.out.as_ref().map_or(Ok(()), |out| std::fs::write(out, text))
}
