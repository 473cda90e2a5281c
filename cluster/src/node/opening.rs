//! Opens what a node remembers with: its store, as far as that answers, and what it knows without it.

use std::sync::Arc;

use actors::chance::Chance;
use actors::clock::Clock;
use actors::storage::Storage;
use actors::storage::address_book::AddressBook;
use actors::storage::coordination::{self, Coordination};
use actors::types::{Life, PhoneNumber};
use tokio::task::JoinHandle;

use super::store::Store;
use super::tenure::{Begun, Tenure};
use super::{Error, demo, name, store};
use crate::config::NodeConfig;

/// What a node remembers with.
pub(super) struct Opened {
    pub(super) life: Life,
    pub(super) store: Store,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) address_book: Option<Arc<AddressBook>>,
    pub(super) book_keeping: Option<JoinHandle<()>>,
    pub(super) coordination: Arc<dyn Coordination>,
    pub(super) tenure: Tenure,
    pub(super) begun: Begun,
}

/// Opens it, takes the node over from its earlier lives, and takes in the demo business where that is asked for.
pub(super) async fn open(config: &NodeConfig, demo: bool) -> Result<Opened, Error> {
    let shared = if store::is_needed(config) { config.coordination.clone() } else { Default::default() };
    let coordination = coordination::open(&shared, &Clock::system(), &Chance::system())?;
    let life = Life::new(name::of(&config.node)?, name::of_run());
    let store = store::open_for(config).await?;
    let (storage, address_book) = (store.storage(), store::address_book(config).await?);
    let mut tenure = Tenure {
        life: life.clone(),
        store: store.clone(),
        coordination: Arc::clone(&coordination),
        settings: config.node.clone(),
        scylla: config.scylla.clone(),
        cut_short: Vec::new(),
    };
    let begun = tenure.begin().await;
    let begun = begun.map_err(|why| Error::Storage { path: config.node.data.clone(), why })?;
    match (demo, begun) {
        (true, Begun::Away) => tracing::warn!("the demo business was not taken in: the store is away"),
        (true, _) => demo::import(storage.as_ref(), &config.import).await?,
        (false, _) => {}
    }
    let keep = |book: &Arc<AddressBook>| tokio::spawn(Arc::clone(book).keep(Arc::clone(&storage)));
    let book_keeping = address_book.as_ref().map(keep);
    Ok(Opened { life, store, storage, address_book, book_keeping, coordination, tenure, begun })
}

impl Opened {
    /// A number that this node answers, for whoever names none.
    pub(super) async fn number(&self) -> Option<PhoneNumber> {
        match (self.begun, &self.address_book) {
            (Begun::Away, book) => book.as_ref()?.any_number(),
            _ => demo::number(self.storage.as_ref()).await,
        }
    }
}
