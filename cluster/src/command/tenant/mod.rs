//! `tenant import|list|show|audit|erase`.

mod audit;
mod erase;
mod import;
mod list;
mod show;

use actors::types::TenantId;
use clap::{Args, Subcommand};

use super::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Take businesses from their TOML files, in place of those with the same id
    Import(import::Arguments),
    /// List businesses
    List(list::Arguments),
    /// Show a business
    Show(show::Arguments),
    /// What was erased of a business, by whom and when
    Audit(audit::Arguments),
    /// Erase a business: every call, recording, appointment, message and key
    Erase(erase::Arguments),
}

/// Which business.
#[derive(Debug, Clone, Args)]
pub(super) struct Which {
    /// The business, where there are several
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
}

impl Which {
    pub(super) fn id(&self) -> Option<TenantId> {
        self.tenant.clone().map(TenantId::new)
    }
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    match verb {
        Verb::Import(arguments) => import::run(arguments, config, output).await,
        Verb::List(arguments) => list::run(arguments, config, output).await,
        Verb::Show(arguments) => show::run(arguments, config, output).await,
        Verb::Audit(arguments) => audit::run(arguments, config, output).await,
        Verb::Erase(arguments) => erase::run(arguments, config, output).await,
    }
}
