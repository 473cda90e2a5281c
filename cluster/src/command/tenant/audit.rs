//! `tenant audit`.

use actors::storage::{AuditAct, AuditActor, AuditRow};
use actors::types::TenantId;
use clap::Args;

use crate::command::access::{Access, Missing};
use crate::command::output::table;
use crate::command::paging::{Paging, tell_next};
use crate::command::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request, Rows};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The business, also one that is gone
    #[arg(value_name = "ID")]
    tenant: String,
    #[command(flatten)]
    paging: Paging,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let (tenant, page) = (TenantId::new(arguments.tenant), arguments.paging.page());
    let Answer::Audit(rows) = access.ask(Request::Audit { tenant, page }).await? else {
        return Err(Error::OtherAnswer);
    };
    output.show(&rows, text)?;
    tell_next(&rows);
    Ok(())
}

fn text(rows: &Rows<AuditRow>) -> String {
    let cells: Vec<[String; 7]> = rows
        .rows
        .iter()
        .map(|row| {
            let erased = &row.entry.erased;
            [
                row.seq.to_string(),
                times::moment(row.entry.at, &rows.time_zone),
                by(row.entry.by).to_owned(),
                act(row.entry.act).to_owned(),
                erased.calls.to_string(),
                erased.recordings.to_string(),
                erased.bookings.to_string(),
            ]
        })
        .collect();
    table(["ROW", "WHEN", "BY", "WHAT", "CALLS", "RECORDINGS", "APPOINTMENTS"], &cells)
}

const fn by(actor: AuditActor) -> &'static str {
    match actor {
        AuditActor::Operator => "operator",
        AuditActor::Retention => "retention",
    }
}

const fn act(act: AuditAct) -> &'static str {
    match act {
        AuditAct::Sweep => "calls past their time erased",
        AuditAct::EraseCall => "call erased",
        AuditAct::EraseCaller => "caller erased",
        AuditAct::EraseTenant => "business erased",
        AuditAct::ResealKey => "key sealed anew",
    }
}
