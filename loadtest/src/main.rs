//! `loadtest <scenario>`: runs a scenario against a node that it starts, prints the verdict, and ends with 1
//! where a call was lost. A missed budget is reported, not failed: this machine may be slower than it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use loadtest::{report, run, scenario::Scenario};

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

fn measure(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let path = PathBuf::from("loadtest/scenarios").join(format!("{}.toml", arguments.scenario));
    let mut scenario = Scenario::read(&path)?;
    scenario.calls = arguments.calls.unwrap_or(scenario.calls);
    scenario.hold_s = arguments.hold_s.unwrap_or(scenario.hold_s);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(run::run(&scenario, &arguments.strowger))?;
    let text = report::markdown(&arguments.scenario, &scenario, &measured, &report::Machine::this());
    println!("{text}");
    if let Some(out) = &arguments.out {
        std::fs::write(out, &text)?;
    }
    Ok(measured.is_whole())
}
