//! `calls list`.

use actors::types::{CallRecord, PhoneNumber, Private};
use clap::Args;

use super::words;
use crate::command::access::{Access, Missing};
use crate::command::output::table;
use crate::command::paging::{Paging, tell_next};
use crate::command::tenant::Which;
use crate::command::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request, Rows};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let request = Request::Calls { tenant: arguments.which.id(), page: arguments.paging.page() };
    let Answer::Calls(rows) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
    output.show(&rows, text)?;
    tell_next(&rows);
    Ok(())
}

fn text(rows: &Rows<CallRecord>) -> String {
    let cells: Vec<[String; 6]> = rows
        .rows
        .iter()
        .map(|call| {
            [
                times::moment(call.started_at, &rows.time_zone),
                call.id.to_string(),
                caller(call.caller.as_ref()),
                length(call),
                words::heading(call.heading).to_owned(),
                call.outcome.map_or_else(|| "goes on".to_owned(), words::outcome),
            ]
        })
        .collect();
    table(["STARTED", "CALL", "FROM", "LENGTH", "ABOUT", "ENDED"], &cells)
}

/// The caller's number, for the person entitled to see it.
pub(super) fn caller(number: Option<&Private<PhoneNumber>>) -> String {
    number.map_or_else(|| "withheld".to_owned(), |number| number.reveal().as_str().to_owned())
}

/// How long the conversation lasted.
pub(super) fn length(call: &CallRecord) -> String {
    match (call.answered_at, call.ended_at) {
        (Some(from), Some(until)) => times::length(from, until),
        _ => "–".to_owned(),
    }
}
