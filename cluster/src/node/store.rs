//! The store of a node: one file in its data directory, or a cluster's, with a journal in that directory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::chance::Chance;
use actors::clock::Clock;
use actors::storage::address_book::AddressBook;
use actors::storage::journal::Journalled;
use actors::storage::recordings::{Folders, MasterKey, Recordings};
use actors::storage::scylla::Scylla;
use actors::storage::search::Search;
use actors::storage::{Embedded, Memory, Storage};

use super::settings::Backend;
use super::{Error, Role, directory};
use crate::config::NodeConfig;

/// The file in the data directory.
pub(crate) const FILE: &str = "strowger.redb";

/// The file of the writes that a store on other machines could not take.
const JOURNAL: &str = "strowger.journal";

/// The file of the businesses that the node knows while such a store is away. Derived: it can be removed while no
/// node runs.
const ADDRESS_BOOK: &str = "address.book";

/// The folder of the recordings in it, where they don't lie elsewhere.
pub(crate) const RECORDINGS: &str = "recordings";

/// The folder of the search's index in it. Derived: it can be removed while no node runs.
const SEARCH: &str = "search";

/// The folder of what waits to be sent there, where they do.
const SPOOL: &str = "spool";

/// The key that opens them, where no other is named. Kept apart from copies of the rest, it keeps those closed.
pub(crate) const KEY: &str = "master.key";

/// An open store.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    /// In the data directory; this process's alone.
    Embedded(Arc<Embedded>),
    /// In a cluster, behind this node's journal.
    Cluster(Arc<Journalled>),
    /// Nowhere: a node whose engines work for others has nothing to remember.
    Nowhere(Arc<Memory>),
}

impl Store {
    /// As everybody uses it.
    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        match self {
            Self::Embedded(store) => store.clone(),
            Self::Cluster(store) => store.clone(),
            Self::Nowhere(store) => store.clone(),
        }
    }

    /// Writes what waits, for so long; what is left is in the journal. Then closes it.
    pub(crate) async fn close(self, grace: Duration) {
        match self {
            Self::Embedded(store) => {
                if let Err(error) = tokio::task::spawn_blocking(move || store.close()).await {
                    tracing::error!(%error, "the store was not closed in order");
                }
            }
            Self::Nowhere(_) => {}
            Self::Cluster(store) => {
                if tokio::time::timeout(grace, store.all_written()).await.is_err() {
                    let waiting = store.waiting().rows;
                    tracing::warn!(waiting, "writes are left in the journal; the next start makes them");
                }
                store.stop().await;
            }
        }
    }
}

/// Opens the store that the settings name.
///
/// # Errors
/// The directory can't be used, another process has the store open, or the cluster can't be reached.
pub(crate) async fn open(config: &NodeConfig) -> Result<Store, Error> {
    let data = config.node.data.clone();
    directory::make(&data)?;
    let store = open_alone(config).await?;
    if let Store::Cluster(journal) = &store {
        let opened = Scylla::open(&config.scylla).await;
        journal.arrived(Arc::new(opened.map_err(|why| Error::Storage { path: data, why })?));
    }
    Ok(store)
}

/// Opens what of the store is on this machine: all of it, or the journal before a cluster that is yet to arrive.
///
/// # Errors
/// The directory can't be used, or another process has the store open.
pub(super) async fn open_alone(config: &NodeConfig) -> Result<Store, Error> {
    let data = config.node.data.clone();
    match config.node.store {
        Backend::Embedded => {
            let (file, settings) = (data.join(FILE), config.storage.clone());
            let opened = in_a_thread(&data, move || Embedded::open(&file, &settings)).await?;
            Ok(Store::Embedded(Arc::new(opened)))
        }
        Backend::Scylla => {
            let (file, settings) = (data.join(JOURNAL), config.journal.clone());
            let open = move || Journalled::open_alone(&file, settings, Clock::system(), Chance::system());
            Ok(Store::Cluster(Arc::new(in_a_thread(&data, open).await?)))
        }
    }
}

/// Whether the node has anything to remember: calls, or what businesses ask for.
pub(super) fn is_needed(config: &NodeConfig) -> bool {
    config.node.roles.iter().any(|role| *role != Role::Inference)
}

/// Opens the store of a node in these roles.
///
/// # Errors
/// As [`open_alone`].
pub(super) async fn open_for(config: &NodeConfig) -> Result<Store, Error> {
    if is_needed(config) { open_alone(config).await } else { Ok(Store::Nowhere(Arc::default())) }
}

/// Opens the address book of a node whose store is elsewhere.
///
/// # Errors
/// There is no room for a thread.
pub(super) async fn address_book(config: &NodeConfig) -> Result<Option<Arc<AddressBook>>, Error> {
    if config.node.store == Backend::Embedded || !is_needed(config) {
        return Ok(None);
    }
    let (data, settings) = (config.node.data.clone(), config.address_book.clone());
    let file = data.join(ADDRESS_BOOK);
    let open = move || Ok(AddressBook::open(&file, settings, Clock::system()));
    Ok(Some(Arc::new(in_a_thread(&data, open).await?)))
}

async fn in_a_thread<T: Send + 'static>(
    data: &Path,
    open: impl FnOnce() -> actors::storage::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let opened = tokio::task::spawn_blocking(open).await;
    let opened = opened.map_err(|error| Error::Data { path: data.to_owned(), why: error.into() })?;
    opened.map_err(|why| Error::Storage { path: data.to_owned(), why })
}

/// Opens the recordings where the settings say: beside the store, or over the network.
///
/// # Errors
/// Their folder or their key can't be used, or a URL is wrong.
pub(crate) fn recordings(config: &NodeConfig, storage: Arc<dyn Storage>) -> Result<Recordings, Error> {
    // Where nothing is recorded nobody else's key or folder is needed.
    let nowhere = actors::storage::recordings::Settings::default();
    let settings = if is_needed(config) { &config.recordings } else { &nowhere };
    let data = &config.node.data;
    let key = match settings.master_key.as_str() {
        "" => MasterKey::open(&data.join(KEY))?,
        url => MasterKey::at(url, &settings.kms)?,
    };
    let folders = Folders { recordings: data.join(RECORDINGS), spool: data.join(SPOOL) };
    Ok(Recordings::open(settings, &folders, key, storage)?)
}

/// Starts the search over the store, where it is on.
///
/// # Errors
/// There is no room for its thread.
pub(crate) fn search(config: &NodeConfig, storage: Arc<dyn Storage>) -> Result<Option<Arc<Search>>, Error> {
    if !config.search.on || !is_needed(config) {
        return Ok(None);
    }
    let folder = config.node.data.join(SEARCH);
    Ok(Some(Arc::new(Search::start(&folder, config.search.clone(), storage, Clock::system())?)))
}
