//! The store of a node: one file in its data directory.

use std::sync::Arc;

use actors::storage::recordings::{Folders, MasterKey, Recordings};
use actors::storage::{Embedded, Storage};

use super::{Error, directory};
use crate::config::NodeConfig;

/// The file in the data directory.
const FILE: &str = "strowger.redb";

/// The folder of the recordings in it, where they don't lie elsewhere.
const RECORDINGS: &str = "recordings";

/// The folder of what waits to be sent there, where they do.
const SPOOL: &str = "spool";

/// The key that opens them, where no other is named. Kept apart from copies of the rest, it keeps those closed.
const KEY: &str = "master.key";

/// Opens the store; it is this process's alone until it is dropped.
///
/// # Errors
/// The directory can't be used, or another process has the store open.
pub(crate) async fn open(config: &NodeConfig) -> Result<Arc<Embedded>, Error> {
    let data = config.node.data.clone();
    directory::make(&data)?;
    let (file, settings) = (data.join(FILE), config.storage.clone());
    let opened = tokio::task::spawn_blocking(move || Embedded::open(&file, &settings)).await;
    let opened = opened.map_err(|error| Error::Data { path: data.clone(), why: error.into() })?;
    opened.map(Arc::new).map_err(|why| Error::Storage { path: data, why })
}

/// Opens the recordings where the settings say: beside the store, or over the network.
///
/// # Errors
/// Their folder or their key can't be used, or a URL is wrong.
pub(crate) fn recordings(config: &NodeConfig, storage: Arc<dyn Storage>) -> Result<Recordings, Error> {
    let (data, settings) = (&config.node.data, &config.recordings);
    let key = match settings.master_key.as_str() {
        "" => MasterKey::open(&data.join(KEY))?,
        url => MasterKey::at(url, &settings.kms)?,
    };
    let folders = Folders { recordings: data.join(RECORDINGS), spool: data.join(SPOOL) };
    Ok(Recordings::open(settings, &folders, key, storage)?)
}
