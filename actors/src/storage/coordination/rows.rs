//! What is asked of and told by what nodes share.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::types::{CallId, Life, TenantId};

/// One run of a node's process. A process that starts again is another one, so that what the dead one had can be
/// told from what this one has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeRun(String);

impl NodeRun {
    /// Wraps a name that no other run of any node has.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Life> for NodeRun {
    fn from(life: &Life) -> Self {
        Self(life.run.clone())
    }
}

impl fmt::Display for NodeRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a tenant has room for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The call has a place.
    Granted {
        /// Places taken, this one included.
        in_use: u32,
    },
    /// All places are taken.
    Full {
        /// Places taken.
        in_use: u32,
    },
}

/// A call in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCall {
    /// Which call.
    pub call: CallId,
    /// Which node has it.
    pub node: NodeRun,
    /// Whose it is.
    pub tenant: TenantId,
    /// When it began, to the millisecond.
    pub since: Timestamp,
}

/// A live call's state with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedState {
    /// The version its writer gave it.
    pub version: u64,
    /// The state.
    pub state: Vec<u8>,
}

impl VersionedState {
    /// Claims that a version tells apart: one is at most 2^53 - 1, as every server can compare.
    const CLAIM_MAX: u32 = (1 << 21) - 1;

    /// The version of a state: by the claim that the call is had by, then by how far the call is. Whatever a process
    /// still says that lost its call is older than what its successor says.
    #[must_use]
    pub fn version_of(claim: u32, seq: u32) -> u64 {
        (u64::from(claim.min(Self::CLAIM_MAX)) << 32) | u64::from(seq)
    }

    /// The latest version by this claim.
    pub(in crate::storage) fn last_of(claim: u32) -> u64 {
        Self::version_of(claim, u32::MAX)
    }
}

/// What became of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointWrite {
    /// It is kept.
    Written,
    /// A newer one is kept already, and stays.
    Stale {
        /// Its version.
        kept: u64,
    },
}

/// A lease that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Greater than that of every holder before.
    pub token: u64,
}

/// What became of the wish for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// It is held now.
    Granted(Lease),
    /// Somebody else holds it.
    Held {
        /// Who.
        by: NodeRun,
        /// For how long at least, in milliseconds, unless it is given back.
        for_ms: u64,
    },
}

/// So many requests in so much time, and how many of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Requests in a period in the long run; zero counts as one.
    pub requests: u32,
    /// The period, in milliseconds; zero counts as one.
    pub period_ms: u64,
    /// Requests at once; zero counts as one.
    pub burst: u32,
}

impl Rate {
    /// The time that one request takes up, in microseconds.
    #[must_use]
    pub fn interval_us(self) -> u64 {
        (self.period_ms.max(1).saturating_mul(1_000) / u64::from(self.requests.max(1))).max(1)
    }

    /// The time that a burst takes up, in microseconds.
    #[must_use]
    pub fn burst_us(self) -> u64 {
        self.interval_us().saturating_mul(u64::from(self.burst.max(1)))
    }
}

/// Whether a request is within its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It is.
    Allowed {
        /// Requests that may follow at once.
        left: u32,
    },
    /// It is not, and was not counted.
    Limited {
        /// When one is allowed again, in milliseconds from now; at least one.
        retry_ms: u64,
    },
}
