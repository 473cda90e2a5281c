//! `store backup|check|copy|migrate|restore`.

mod backup;
mod check;
mod copy;
mod key;
mod mended;
mod migrate;
mod place;
mod restore;
mod work;

use clap::Subcommand;

use super::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Write everything to one encrypted file, of a running node, too
    Backup(backup::Arguments),
    /// Read everything and look whether what belongs together is there, of a running node, too
    Check,
    /// Copy one store into another, and compare both in the end; a copy that was stopped goes on
    Copy(copy::Arguments),
    /// Bring the store's layout up to this program
    Migrate,
    /// Make a data directory of a backup
    Restore(restore::Arguments),
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::Backup(arguments) => backup::run(arguments, config, output).await,
        Verb::Check => check::run(config, output).await,
        Verb::Copy(arguments) => copy::run(arguments, config, output).await,
        Verb::Migrate => migrate::run(config, output).await,
        Verb::Restore(arguments) => restore::run(arguments, config, output).await,
    }
}
