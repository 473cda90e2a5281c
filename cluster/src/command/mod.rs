//! The verbs of `strowger`, one file each. Data goes to standard output, words to standard error.

mod access;
mod bookings;
mod call;
mod calls;
mod config;
mod doctor;
mod erase;
mod error;
mod keys;
mod messages;
mod output;
mod paging;
mod run;
mod store;
mod tenant;
mod times;
mod trunk;
mod users;
mod weights;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use error::Error;
pub use output::Output;

use crate::config::{NodeConfig, Setting, load};
use crate::node::keep_private;
use crate::telemetry;

/// An AI receptionist that answers every call of a business.
#[derive(Debug, Parser)]
#[command(name = "strowger", version)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

/// What every verb understands.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The directory with the node's data [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A configuration file; ops/config/reference.toml has every key
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    /// What is logged: a level such as `info`, or directives such as `info,cluster::sip=debug`
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged: human or json
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a node that answers calls
    Run(run::Arguments),
    /// Call a node and talk to it, in words given here or typed line by line
    Call(call::Arguments),
    /// The businesses that calls are answered for
    #[command(subcommand)]
    Tenant(tenant::Verb),
    /// Calls and their recordings
    #[command(subcommand)]
    Calls(calls::Verb),
    /// Appointments
    #[command(subcommand)]
    Bookings(bookings::Verb),
    /// Messages taken for somebody
    #[command(subcommand)]
    Messages(messages::Verb),
    /// Those who sign in for a business
    #[command(subcommand)]
    Users(users::Verb),
    /// The store: backups, copies, checks
    #[command(subcommand)]
    Store(store::Verb),
    /// The keys that seal recordings
    #[command(subcommand)]
    Keys(keys::Verb),
    /// Trunks to carriers
    #[command(subcommand)]
    Trunk(trunk::Verb),
    /// The configuration
    #[command(subcommand)]
    Config(config::Verb),
    /// Model weights on this machine
    #[command(subcommand)]
    Weights(weights::Verb),
    /// Try every engine that a node started here would use: does it work, how fast, how well?
    Doctor,
}

/// Runs a command line to its end.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    keep_private();
    let mut out = std::io::stdout().lock();
    match cli.install_log().and_then(|()| run(cli, &mut out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strowger: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command line, with its data written to `out`.
///
/// # Errors
/// What went wrong, worded for the person at the terminal.
pub fn run(cli: Cli, out: &mut dyn Write) -> Result<(), Error> {
    let mut output = Output::new(out, cli.common.json);
    let common = &cli.common;
    let config = common.load(cli.verb.flags())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Error::Runtime { why })?;
    runtime.block_on(async {
        match cli.verb {
            Verb::Run(arguments) => run::run(arguments, config, &mut output).await,
            Verb::Call(arguments) => call::run(arguments, &config, &mut output).await,
            Verb::Tenant(verb) => tenant::run(verb, &config, &mut output).await,
            Verb::Calls(verb) => calls::run(verb, &config, &mut output).await,
            Verb::Bookings(verb) => bookings::run(verb, &config, &mut output).await,
            Verb::Messages(verb) => messages::run(verb, &config, &mut output).await,
            Verb::Users(verb) => users::run(verb, &config, &mut output).await,
            Verb::Store(verb) => store::run(verb, &config, &mut output).await,
            Verb::Keys(verb) => keys::run(verb, &config, &mut output).await,
            Verb::Trunk(verb) => trunk::run(verb, &config, &mut output).await,
            Verb::Config(verb) => config::run(&verb, &config, &mut output),
            Verb::Weights(verb) => weights::run(verb, &config, &mut output).await,
            Verb::Doctor => doctor::run(&config, &mut output).await,
        }
    })
}

impl Cli {
    /// Logs to standard error from now on.
    fn install_log(&self) -> Result<(), Error> {
        let config = self.common.load(self.verb.flags())?;
        Ok(telemetry::install_log(&self.verb.log(&config.log))?)
    }
}

impl Verb {
    /// What is logged: a node's life in full, of a short command only what is wrong, unless it is asked for.
    fn log(&self, settings: &telemetry::Settings) -> telemetry::Settings {
        let quiet = !matches!(self, Self::Run(_)) && *settings == telemetry::Settings::default();
        let filter = if quiet { "warn".to_owned() } else { settings.filter.clone() };
        telemetry::Settings { filter, ..settings.clone() }
    }

    /// What its own flags set.
    fn flags(&self) -> Vec<Setting> {
        match self {
            Self::Run(arguments) => arguments.flags(),
            _ => Vec::new(),
        }
    }
}

impl Common {
    fn load(&self, more: Vec<Setting>) -> Result<NodeConfig, Error> {
        let mut flags = more;
        if let Some(data) = &self.data {
            flags.push(Setting::flag("--data", "node.data", data.to_string_lossy().into_owned()));
        }
        if let Some(filter) = &self.log {
            flags.push(Setting::flag("--log", "log.filter", filter.clone()));
        }
        if let Some(format) = &self.log_format {
            flags.push(Setting::flag("--log-format", "log.format", format.clone()));
        }
        Ok(load(self.config.as_deref(), flags)?)
    }
}
