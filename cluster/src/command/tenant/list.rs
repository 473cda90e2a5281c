//! `tenant list`.

use actors::types::{Business, PhoneNumber};
use clap::Args;

use crate::command::access::{Access, Missing};
use crate::command::output::table;
use crate::command::paging::{Paging, tell_next};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request, Rows};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let Answer::Tenants(rows) = access.ask(Request::Tenants { page: arguments.paging.page() }).await? else {
        return Err(Error::OtherAnswer);
    };
    output.show(&rows, text)?;
    tell_next(&rows);
    Ok(())
}

fn text(rows: &Rows<Business>) -> String {
    let cells: Vec<[String; 5]> = rows
        .rows
        .iter()
        .map(|business| {
            [
                business.id.to_string(),
                business.version.to_string(),
                numbers(&business.numbers),
                business.time_zone.clone(),
                business.name.clone(),
            ]
        })
        .collect();
    table(["ID", "VERSION", "NUMBERS", "TIME ZONE", "NAME"], &cells)
}

/// Numbers side by side. They are the business's own, and public.
pub(super) fn numbers(numbers: &[PhoneNumber]) -> String {
    numbers.iter().map(PhoneNumber::as_str).collect::<Vec<_>>().join(", ")
}
