//! `store backup`.

use std::path::PathBuf;

use actors::storage::backup::Summary;
use clap::Args;

use super::key::Key;
use super::work;
use crate::command::access::{Access, Missing};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::node::KEY_FILE;
use crate::operator::{Job, JobOutcome};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The file to make
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    key: Key,
    /// With the recordings' audio
    #[arg(long)]
    recordings: bool,
    /// With the master key: whoever can open the backup can then hear its recordings
    #[arg(long)]
    with_master_key: bool,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let master_key = arguments.with_master_key.then(|| std::path::absolute(config.node.data.join(KEY_FILE)));
    let job = Job::BackUp {
        to: std::path::absolute(arguments.to)?,
        key: arguments.key.source()?,
        recordings: arguments.recordings,
        master_key: master_key.transpose()?,
    };
    let JobOutcome::BackedUp(summary) = work::done(&access, job).await? else {
        return Err(Error::OtherAnswer);
    };
    output.show(&summary, text)?;
    if !summary.master_key {
        eprintln!(
            "the master key is not in it: keep a copy of {} elsewhere, without it no recording can be heard",
            config.node.data.join(KEY_FILE).display()
        );
    }
    Ok(())
}

/// What a backup holds.
pub(super) fn text(summary: &Summary) -> String {
    let mut text: String =
        summary.rows.iter().map(|(part, rows)| format!("{:<12} {rows}\n", part.name())).collect();
    if summary.recordings {
        text += &format!("{:<12} {} ({} bytes)\n", "audio", summary.objects, summary.object_bytes);
    }
    text + &format!("{:<12} {}\n", "master key", if summary.master_key { "included" } else { "not included" })
}
