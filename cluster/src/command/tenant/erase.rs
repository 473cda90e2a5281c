//! `tenant erase`.

use actors::types::TenantId;
use clap::Args;

use crate::command::access::Access;
use crate::command::erase::{Confirmation, erase};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::Request;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The business
    #[arg(value_name = "ID")]
    tenant: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let tenant = TenantId::new(arguments.tenant);
    arguments
        .confirmation
        .check(&format!("the business {tenant} with every call, recording and appointment"))?;
    let access = Access::to_search(config, true).await?;
    let done = erase(&access, output, |after| Request::EraseTenant { tenant: tenant.clone(), after }).await;
    access.close().await;
    done
}
