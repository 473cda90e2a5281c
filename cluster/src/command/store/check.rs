//! `store check`.

use actors::storage::Examination;

use super::work;
use crate::command::access::{Access, Missing};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Job, JobOutcome};

pub(super) async fn run(config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let JobOutcome::Checked(found) = work::done(&access, Job::Check).await? else {
        return Err(Error::OtherAnswer);
    };
    output.show(&found, text)?;
    match found.faults_total {
        0 => Ok(()),
        faults => Err(Error::Faults { faults }),
    }
}

fn text(found: &Examination) -> String {
    let mut text: String = found.rows.iter().map(|(table, rows)| format!("{table:<20} {rows}\n")).collect();
    for fault in &found.faults {
        text += &format!("{} row {}: {}\n", fault.table, fault.row, fault.what);
    }
    let told = found.faults.len() as u64;
    if found.faults_total > told {
        text += &format!("and {} more\n", found.faults_total - told);
    }
    text
}
