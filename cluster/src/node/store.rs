//! The store of a node: one file in its data directory.

use std::sync::Arc;

use actors::clock::Clock;
use actors::storage::recordings::{MasterKey, Recordings};
use actors::storage::search::Search;
use actors::storage::{Embedded, Storage};

use super::{Error, directory};
use crate::config::NodeConfig;

/// The file in the data directory.
const FILE: &str = "strowger.redb";

/// The folder of the recordings in it.
const RECORDINGS: &str = "recordings";

/// The folder of the search's index in it. Derived: it can be removed while no node runs.
const SEARCH: &str = "search";

/// The key that opens them. Kept apart from copies of the rest, it keeps those closed.
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

/// Opens the recordings beside the store.
///
/// # Errors
/// Their folder or their key can't be used.
pub(crate) fn recordings(config: &NodeConfig, storage: Arc<dyn Storage>) -> Result<Recordings, Error> {
    let data = &config.node.data;
    let key = MasterKey::open(&data.join(KEY))?;
    Ok(Recordings::in_folder(&data.join(RECORDINGS), key, storage)?)
}

/// Starts the search over the store, where it is on.
///
/// # Errors
/// There is no room for its thread.
pub(crate) fn search(config: &NodeConfig, storage: Arc<dyn Storage>) -> Result<Option<Arc<Search>>, Error> {
    if !config.search.on {
        return Ok(None);
    }
    let folder = config.node.data.join(SEARCH);
    Ok(Some(Arc::new(Search::start(&folder, config.search.clone(), storage, Clock::system())?)))
}
