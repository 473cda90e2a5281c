//! `trunk test`.

mod test;

use clap::Subcommand;

use super::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Try a trunk, and say why it does not work and what to change
    Test(test::Arguments),
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::Test(arguments) => test::run(arguments, config, output).await,
    }
}
