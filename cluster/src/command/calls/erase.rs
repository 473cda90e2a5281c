//! `calls erase`.

use actors::types::CallId;
use clap::Args;

use crate::command::access::Access;
use crate::command::erase::{Confirmation, erase};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::Request;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The call, as `calls list` names it
    #[arg(value_name = "CALL")]
    call: CallId,
    #[command(flatten)]
    confirmation: Confirmation,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let call = arguments.call;
    arguments.confirmation.check(&format!("call {call} with its recording, messages and appointments"))?;
    let access = Access::to_search(config, true).await?;
    let done = erase(&access, output, |_| Request::EraseCall { call }).await;
    access.close().await;
    done
}
