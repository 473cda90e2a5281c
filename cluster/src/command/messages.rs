//! `messages list`.

use actors::types::{Message, Urgency};
use clap::{Args, Subcommand};

use super::access::{Access, Missing};
use super::output::table;
use super::paging::{Paging, tell_next};
use super::tenant::Which;
use super::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request, Rows};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List messages, newest first
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let Verb::List(list) = verb;
    let access = Access::to(config, Missing::Refuse).await?;
    let request = Request::Messages { tenant: list.which.id(), page: list.paging.page() };
    let Answer::Messages(rows) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
    output.show(&rows, text)?;
    tell_next(&rows);
    Ok(())
}

fn text(rows: &Rows<Message>) -> String {
    let cells: Vec<[String; 6]> = rows
        .rows
        .iter()
        .map(|message| {
            let from = &message.from;
            let text = message.text.reveal();
            [
                times::moment(message.taken_at, &rows.time_zone),
                match message.urgency {
                    Urgency::Normal => String::new(),
                    Urgency::Urgent => "urgent".to_owned(),
                },
                message.recipient.clone().unwrap_or_default(),
                from.name.as_ref().map(|name| name.reveal().clone()).unwrap_or_default(),
                from.number.as_ref().map(|number| number.reveal().as_str().to_owned()).unwrap_or_default(),
                if text.is_empty() { format!("(listen: calls play {})", message.call) } else { text.clone() },
            ]
        })
        .collect();
    table(["TAKEN", "", "FOR", "FROM", "NUMBER", "MESSAGE"], &cells)
}
