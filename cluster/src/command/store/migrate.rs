//! `store migrate`.

use actors::storage::scylla::migrate;
use serde::Serialize;

use crate::command::access::{Access, Missing};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::node::Backend;

#[derive(Debug, Serialize)]
struct Migrated {
    store: Backend,
}

pub(super) async fn run(config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let words = match config.node.store {
        Backend::Embedded => {
            // Opening it makes the tables that it lacks; a running node has done so.
            let _access = Access::to(config, Missing::Refuse).await?;
            "the embedded store has this program's layout; there is nothing to bring up\n".to_owned()
        }
        Backend::Scylla => {
            migrate(&config.scylla).await?;
            format!("the cluster at {} has this program's layout\n", config.scylla.contact_points.join(", "))
        }
    };
    output.show(&Migrated { store: config.node.store }, |_| words)
}
