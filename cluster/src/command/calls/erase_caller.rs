//! `calls erase-caller`.

use actors::types::{PhoneNumber, Private};
use clap::Args;

use crate::command::access::Access;
use crate::command::erase::{Confirmation, erase};
use crate::command::tenant::Which;
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::Request;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The caller's number
    #[arg(value_name = "NUMBER")]
    number: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    confirmation: Confirmation,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let caller = PhoneNumber::parse(&arguments.number).map(Private::new).ok_or(Error::NoNumber)?;
    arguments.confirmation.check("every call, message and appointment of this caller")?;
    let access = Access::to_search(config, true).await?;
    let tenant = arguments.which.id();
    let request = |after| Request::EraseCaller { tenant: tenant.clone(), caller: caller.clone(), after };
    let done = erase(&access, output, request).await;
    access.close().await;
    done
}
