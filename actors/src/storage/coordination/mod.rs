//! What the nodes of a cluster tell each other about live calls, behind one interface: who has which call, how far
//! it has come, how many calls a tenant has, rate limits, leases with fencing tokens, and hints.
//!
//! ```text
//! Coordination ─┬─ Local   one node alone (the default): tables in memory, bounded
//!               └─ Redis   a cluster: Redis or Valkey, single, behind Sentinel, or a Redis Cluster
//! ```
//!
//! Nothing here is the truth about money, bookings or records: a server that is away, slow or empty again delays
//! or loosens something and ends no call. `conformance` is one suite that both pass.

#[cfg(test)]
pub(super) mod conformance;
mod error;
mod hints;
mod local;
pub mod metrics;
mod open;
mod rate_limiter;
mod rows;
mod settings;
mod tables;

use async_trait::async_trait;

use crate::types::{CallId, TenantId};

pub use error::{Error, Result};
pub use hints::{Heard, Hints};
pub use local::Local;
pub use open::{Misconfigured, open};
pub use rate_limiter::{RateLimiter, WhenAway};
pub use rows::{Acquired, Admission, CheckpointWrite, Lease, LiveCall, NodeRun, Rate, Spent, VersionedState};
pub use settings::Settings;

#[cfg(all(test, feature = "redis"))]
pub(super) use conformance::conformance;
#[cfg(feature = "redis")]
pub(super) use hints::Subscribers;

/// What the nodes of a cluster share. Every answer comes within the deadline of the settings; lives and deadlines
/// are told in milliseconds.
///
/// Where nothing else is said, doing the same thing twice is the same as doing it once, so that whoever got
/// [`Error::Unknown`] asks again. A `ttl_ms` of zero counts as one millisecond.
#[async_trait]
pub trait Coordination: Send + Sync {
    /// Gives a call one of its tenant's `limit` places for `ttl_ms`, where one is free. A call that has one
    /// already keeps it, for `ttl_ms` from now.
    async fn admit(&self, tenant: &TenantId, call: CallId, limit: u32, ttl_ms: u64) -> Result<Admission>;
    /// Prolongs the places of calls that are under way, whatever the limit is; those that have none get one: the
    /// calls are there, and what is shared must say so.
    async fn hold_places(&self, tenant: &TenantId, calls: &[CallId], ttl_ms: u64) -> Result<()>;
    /// Frees a call's place.
    async fn leave(&self, tenant: &TenantId, call: CallId) -> Result<()>;
    /// How many places of a tenant are taken.
    async fn places_taken(&self, tenant: &TenantId) -> Result<u32>;

    /// Writes calls into the directory for `ttl_ms`, or prolongs them. A call that another node has stays that
    /// node's: such calls are returned.
    async fn put_calls(&self, calls: &[LiveCall], ttl_ms: u64) -> Result<Vec<CallId>>;
    /// Who has a call.
    async fn live_call(&self, call: CallId) -> Result<Option<LiveCall>>;
    /// At most `limit` of the calls that a node has, in no order.
    async fn calls_of(&self, node: &NodeRun, limit: usize) -> Result<Vec<LiveCall>>;
    /// Moves a call from one node, which is dead, to another; of many that claim it one gets it, and has it when it
    /// asks again. `false` where neither of the two has it.
    async fn claim_call(&self, call: CallId, from: &NodeRun, to: &NodeRun, ttl_ms: u64) -> Result<bool>;
    /// Takes a call of this node out of the directory, and its state with it.
    async fn remove_call(&self, call: CallId, node: &NodeRun) -> Result<()>;

    /// Keeps a live call's state for `ttl_ms`, unless a newer version is kept already, or was forgotten. For what a
    /// version is made of see [`VersionedState::version_of`].
    async fn put_checkpoint(
        &self,
        call: CallId,
        version: u64,
        state: &[u8],
        ttl_ms: u64,
    ) -> Result<CheckpointWrite>;
    /// A live call's newest state.
    async fn checkpoint(&self, call: CallId) -> Result<Option<VersionedState>>;
    /// Forgets a call's state by this claim or an earlier one, and for `ttl_ms` keeps none of those any more. One of
    /// a later claim stays.
    async fn drop_checkpoint(&self, call: CallId, claim: u32, ttl_ms: u64) -> Result<()>;

    /// Takes a lease where nobody else holds it. Its token is greater than every one given before; who holds it
    /// already keeps the token and gets `ttl_ms` from now.
    ///
    /// The token of a lease only helps where what is written under it is refused to lower tokens. Where a server
    /// loses what it knew (an empty restart, a fail-over to a replica that was behind), tokens still grow, for they
    /// start from the server's clock; two may then hold a lease for a while all the same. The store's own epoch is
    /// the truth; this is for doing things once most of the time.
    async fn acquire(&self, lease: &str, owner: &NodeRun, ttl_ms: u64) -> Result<Acquired>;
    /// Prolongs a lease; `false` where it is not held with this token any more. A lapsed one is not brought back.
    async fn renew(&self, lease: &str, owner: &NodeRun, token: u64, ttl_ms: u64) -> Result<bool>;
    /// Gives a lease back; `false` where it was not held with this token.
    async fn release(&self, lease: &str, owner: &NodeRun, token: u64) -> Result<bool>;

    /// Spends one of a limit's requests (generic cell rate algorithm, ITU-T I.371). Never repeated: a second try
    /// would count twice. See [`RateLimiter`] for what becomes of it while the server is away.
    async fn spend(&self, limit: &str, rate: Rate) -> Result<Spent>;

    /// Tells everybody who listens now. Lossy, and never repeated.
    async fn publish(&self, channel: &str, hint: &[u8]) -> Result<()>;
    /// Listens from now on; what was said before is not heard.
    async fn subscribe(&self, channel: &str) -> Result<Hints>;

    /// Writes and reads a probe: whether it works now.
    async fn check(&self) -> Result<()>;
}
