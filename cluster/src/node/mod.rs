//! A running node: build, run, drain.
//!
//! ```text
//! start: data directory → store, where it answers → dead calls closed → search → engines, its own and others'
//!        → supervision → media → trunk, carriers → gateway
//! stop:  refuse calls → wait for those under way → supervision → engines for others → trunk, carriers → media
//!        → gateway → search → store
//! ```

mod demo;
mod desk;
mod directory;
mod error;
mod minds;
mod name;
mod opening;
mod readiness;
mod roles;
mod senses;
mod settings;
mod start;
mod stop;
mod store;
mod tenure;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use actors::storage::recordings::Recorder;
use actors::storage::search::Search;
use actors::supervision::Supervision;
use actors::types::PhoneNumber;
use models::engine::Choice;
use tokio::task::JoinHandle;

pub(crate) use directory::keep_private;
pub use error::Error;
pub use roles::Role;
pub(crate) use senses::{of_others, own as own_senses};
pub use settings::{Backend, Settings};
pub use start::Options;
pub use stop::Stopped;
pub(crate) use store::{
    FILE as STORE_FILE, KEY as KEY_FILE, RECORDINGS as RECORDINGS_FOLDER, Store, open as open_store,
    recordings, search,
};

use crate::edge::carriers::Carriers;
use crate::edge::media::Media;
use crate::edge::sip_trunk::{Transport, Trunk};
use crate::gateway::Gateway;
use readiness::Life;
use tenure::Held;

/// A node that takes calls. Stop it with [`Node::drain`] and [`Node::stop`].
pub struct Node {
    settings: Settings,
    life: Arc<Life>,
    store: Store,
    search: Option<Arc<Search>>,
    supervision: Arc<Supervision>,
    recorder: Arc<Recorder>,
    media: Media,
    trunk: Trunk,
    carriers: Carriers,
    gateway: Gateway,
    serving: senses::Serving,
    keeping_up: JoinHandle<()>,
    book_keeping: Option<JoinHandle<()>>,
    held: Held,
    sweeping: Option<JoinHandle<()>>,
    facts: Facts,
}

/// What its operator should know when it has started.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Where its data lies.
    pub data: PathBuf,
    /// Where it takes calls.
    pub sip: SocketAddr,
    /// What carries SIP there: UDP, unless that is off.
    pub transport: Transport,
    /// Its HTTP address.
    pub http: SocketAddr,
    /// Where other nodes use its engines, if they may.
    pub inference: Option<SocketAddr>,
    /// A number that it answers.
    pub number: Option<PhoneNumber>,
    /// Its engines, and why these.
    pub engines: Vec<Choice>,
    /// Calls that a dead process had left open.
    pub calls_closed: usize,
    /// Whether it started without its store.
    pub store_away: bool,
}

impl Node {
    /// What its operator should know.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Waits until another process has taken this node's name over.
    pub async fn superseded(&self) {
        self.held.is_superseded().await;
    }

    /// Calls under way.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.supervision.counts().calls
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Node").field("facts", &self.facts).finish_non_exhaustive()
    }
}
