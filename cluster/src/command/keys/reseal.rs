//! `keys reseal`.

use actors::clock::Clock;
use actors::storage::recordings::{MasterKey, reseal};
use actors::storage::{AuditAct, AuditActor, AuditEntry, Erased};
use clap::Args;
use serde::Serialize;

use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::node;
use crate::node::open_store;
use crate::operator::Presence;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The master key until now: a file, or aws-kms://region/key
    #[arg(long, value_name = "KEY")]
    from: String,
    /// The master key from now on; a file that is not there is made
    #[arg(long, value_name = "KEY")]
    to: String,
}

#[derive(Debug, Serialize)]
struct Resealed {
    businesses: usize,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let data = &config.node.data;
    if let Some(presence) = Presence::find(data) {
        // It would go on sealing with the key that it has.
        return Err(Error::NodeRuns { data: data.clone(), pid: presence.pid });
    }
    if !data.is_dir() {
        return Err(Error::NoData { data: data.clone() });
    }
    let key = |url: &str| MasterKey::at(url, &config.recordings.kms).map_err(node::Error::from);
    let (from, to) = (key(&arguments.from)?, key(&arguments.to)?);
    let storage = open_store(config).await?.storage();
    let done = reseal(storage.as_ref(), &from, &to).await.map_err(node::Error::from)?;
    let clock = Clock::system();
    for tenant in &done {
        let entry = AuditEntry {
            at: clock.now(),
            by: AuditActor::Operator,
            act: AuditAct::ResealKey,
            erased: Erased::default(),
            live: 0,
        };
        let written = storage.append_audit(tenant, &entry).await;
        written.map_err(|why| Error::Store { why: why.to_string() })?;
    }
    output.show(&Resealed { businesses: done.len() }, |resealed| {
        format!(
            "sealed the keys of {} business(es) anew; set recordings.master_key to the new one before the node starts\n",
            resealed.businesses
        )
    })
}
