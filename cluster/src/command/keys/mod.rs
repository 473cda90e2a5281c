//! `keys reseal`.

mod reseal;

use clap::Subcommand;

use super::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Seal every business's key anew with another master key, with the node stopped
    Reseal(reseal::Arguments),
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::Reseal(arguments) => reseal::run(arguments, config, output).await,
    }
}
