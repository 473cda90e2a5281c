//! `bookings list`.

use actors::types::{Booking, BookingState};
use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::access::{Access, Missing};
use super::output::table;
use super::paging::{Paging, tell_next};
use super::tenant::Which;
use super::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, Days, Request, Rows};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List appointments, earliest first, cancelled ones included
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    /// From this day [default: today]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Until this day, included
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let Verb::List(list) = verb;
    let access = Access::to(config, Missing::Refuse).await?;
    let request = Request::Bookings {
        tenant: list.which.id(),
        days: Days { from: list.from, until: list.until },
        page: list.paging.page(),
    };
    let Answer::Bookings(rows) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
    output.show(&rows, text)?;
    tell_next(&rows);
    Ok(())
}

fn text(rows: &Rows<Booking>) -> String {
    let cells: Vec<[String; 6]> = rows
        .rows
        .iter()
        .map(|booking| {
            let contact = &booking.contact;
            [
                times::appointment(booking.slot.start, &rows.time_zone),
                booking.slot.service.to_string(),
                booking.slot.resource.to_string(),
                contact.name.as_ref().map(|name| name.reveal().clone()).unwrap_or_default(),
                contact.number.as_ref().map(|number| number.reveal().as_str().to_owned()).unwrap_or_default(),
                match booking.state {
                    BookingState::Confirmed => "confirmed",
                    BookingState::Cancelled => "cancelled",
                }
                .to_owned(),
            ]
        })
        .collect();
    table(["WHEN", "SERVICE", "WITH", "FOR", "NUMBER", "STATE"], &cells)
}
