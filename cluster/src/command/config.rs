//! `config print`.

use clap::Subcommand;

use super::{Error, Output};
use crate::config::{NodeConfig, print};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Print every key with the value that a node started here would use; secrets are masked
    Print,
}

pub(super) fn run(verb: &Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::Print => {
            let text = print(config);
            let tree: toml::Table = toml::from_str(&text).unwrap_or_default();
            output.show(&tree, |_| text)
        }
    }
}
