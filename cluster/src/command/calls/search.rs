//! `calls search`.

use actors::storage::Cursor;
use actors::storage::search::{Filters, Hit, Order, OutcomeIs, Tag};
use actors::types::{PhoneNumber, Private};
use clap::Args;
use jiff::civil::Date;

use super::list::caller;
use super::{conversation, words};
use crate::command::access::Access;
use crate::command::output::table;
use crate::command::paging::Paging;
use crate::command::tenant::Which;
use crate::command::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, Days, FoundCalls, Request};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// Words that were all said; "a phrase" in quotation marks of its own; one OR other; -word was not said
    #[arg(value_name = "WORDS")]
    words: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// Calls from this day
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Calls until this day, included
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Calls from this number
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    caller: Option<Private<PhoneNumber>>,
    /// Calls that ended so: success, client, server, upstream, indeterminate, or a reason such as caller_hung_up
    #[arg(long)]
    outcome: Option<OutcomeIs>,
    /// Calls with this tag: question, booked, moved, cancelled, message, transferred, wrong_number, nothing,
    /// recorded or trouble
    #[arg(long)]
    tag: Option<Tag>,
    /// The best first instead of the newest
    #[arg(long)]
    best: bool,
    #[command(flatten)]
    paging: Paging,
}

fn number(text: &str) -> Result<Private<PhoneNumber>, String> {
    PhoneNumber::parse(text).map(Private::new).ok_or_else(|| "this is no telephone number".to_owned())
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to_search(config, true).await?;
    let request = Request::SearchCalls {
        tenant: arguments.which.id(),
        words: arguments.words.join(" ").into(),
        days: Days { from: arguments.from, until: arguments.until },
        filters: Filters {
            caller: arguments.caller,
            outcome: arguments.outcome,
            tag: arguments.tag,
            ..Filters::default()
        },
        order: if arguments.best { Order::Best } else { Order::Newest },
        page: arguments.paging.page(),
    };
    let answer = access.ask(request).await;
    access.close().await;
    let Answer::FoundCalls(found) = answer? else { return Err(Error::OtherAnswer) };
    output.show(&found, |found| text(found))?;
    if let Some(Cursor(next)) = &found.found.next {
        eprintln!("there are more: --after {next}");
    }
    if !found.found.complete {
        eprintln!("the index is being built; there may be more when it is complete");
    }
    Ok(())
}

fn text(found: &FoundCalls) -> String {
    let cells: Vec<[String; 6]> = found
        .found
        .hits
        .iter()
        .map(|hit| {
            let call = &hit.record;
            [
                times::moment(call.started_at, &found.time_zone),
                call.id.to_string(),
                caller(call.caller.as_ref()),
                words::heading(call.heading).to_owned(),
                call.outcome.map_or_else(|| "goes on".to_owned(), words::outcome),
                said(hit),
            ]
        })
        .collect();
    table(["STARTED", "CALL", "FROM", "ABOUT", "ENDED", "SAID"], &cells)
}

/// The line with the words that were found in brackets.
fn said(hit: &Hit) -> String {
    let Some(line) = &hit.line else { return String::new() };
    let mut text = format!("{} {}: ", times::into_call(line.at), conversation::speaker_name(line.speaker));
    for piece in &line.pieces {
        let words = piece.text.reveal();
        if piece.found {
            text.extend(["[", words, "]"]);
        } else {
            text += words;
        }
    }
    text
}
