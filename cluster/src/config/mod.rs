//! A node's settings: the parts' own `Settings`, composed. No setting is defined here.
//!
//! ```text
//! defaults → file (--config) → environment (STROWGER_…) → flags → NodeConfig
//! ```

mod keys;
mod load;
mod mistake;
mod paths;
mod print;
mod setting;

use serde::{Deserialize, Serialize};

pub use keys::keys;
pub use load::load;
pub use mistake::{Mistake, Mistakes};
pub use print::print;
pub use setting::{Origin, Setting};

use crate::edge::{carriers, media, sip_trunk};
use crate::{gateway, node, telemetry};

/// Everything that can be set about a node. Each part documents its own keys; `ops/config/reference.toml` has
/// them all, at their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// The node itself: where its data lies, how it stops.
    pub node: node::Settings,
    /// What is logged, and how.
    pub log: telemetry::Settings,
    /// Calls by SIP.
    pub sip: sip_trunk::Settings,
    /// Calls by carriers' websockets.
    pub carriers: carriers::Settings,
    /// Who hears and who speaks.
    pub engines: models::engine::Settings,
    /// Engines on other nodes, and this node's for others.
    pub inference: models::remote::Settings,
    /// The calls themselves, and what a receptionist can do beyond talking.
    pub calls: actors::config::Settings,
    /// The brain that needs no model.
    pub playbook: actors::call::brain::playbook::Settings,
    /// Understanding by meaning, where there are embeddings.
    pub understanding: actors::call::UnderstandingSettings,
    /// The store in the data directory.
    pub storage: actors::storage::embedded::Settings,
    /// The cluster that keeps the data, where `node.store` says so.
    pub scylla: actors::storage::scylla::Settings,
    /// The journal of writes that such a cluster could not take.
    pub journal: actors::storage::journal::Settings,
    /// The businesses that a node knows while such a cluster is away.
    pub address_book: actors::storage::address_book::Settings,
    /// What the nodes of a cluster share, and how they reach it.
    pub coordination: actors::storage::coordination::Settings,
    /// The search over transcripts.
    pub search: actors::storage::search::Settings,
    /// Recordings of calls.
    pub recordings: actors::storage::recordings::Settings,
    /// How long calls are kept, and how they are erased.
    pub retention: actors::storage::retention::Settings,
    /// The bounds of a business's file.
    pub import: actors::tenant::import::Settings,
    /// Audio on the wire.
    pub media: media::Settings,
    /// The HTTP address: metrics, health, operators.
    pub http: gateway::Settings,
}
