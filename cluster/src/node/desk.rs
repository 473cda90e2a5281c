//! A running node's side of the operator protocol.

use std::sync::Arc;

use actors::storage::Storage;
use actors::storage::address_book::AddressBook;
use actors::storage::recordings::Recordings;
use actors::storage::search::Search;
use actors::supervision::Supervision;
use async_trait::async_trait;

use super::readiness::{Life, Stage};
use crate::config::NodeConfig;
use crate::gateway;
use crate::operator::{Answer, Counts, Desk, Request, execute};

/// Executes what operators ask over the store that this node has open.
pub(super) struct Counter(Desk);

/// What the node keeps.
pub(super) struct Kept<'a> {
    pub(super) storage: &'a Arc<dyn Storage>,
    pub(super) address_book: Option<Arc<AddressBook>>,
    pub(super) recordings: Recordings,
    pub(super) search: Option<Arc<Search>>,
}

impl Counter {
    pub(super) fn new(
        kept: Kept<'_>,
        config: &NodeConfig,
        supervision: &Arc<Supervision>,
        life: &Arc<Life>,
    ) -> Self {
        let (counted, life) = (Arc::clone(supervision), Arc::clone(life));
        let (told, address_book) = (Arc::clone(supervision), kept.address_book);
        Self(Desk {
            storage: Arc::clone(kept.storage),
            recordings: kept.recordings,
            search: kept.search,
            import: config.import.clone(),
            retention: config.retention.clone(),
            counts: Arc::new(move || Counts {
                calls: counted.counts().calls,
                draining: life.stage() == Stage::Draining,
            }),
            changed: Arc::new(move |tenant| {
                told.refresh(tenant);
                if let Some(book) = &address_book {
                    book.look_again();
                }
            }),
            jobs: Arc::default(),
        })
    }
}

#[async_trait]
impl gateway::Counter for Counter {
    async fn serve(&self, request: Request) -> Answer {
        execute(&self.0, request).await
    }
}
