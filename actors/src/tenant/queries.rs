//! What can be read of a tenant without asking its actor.

use serde::{Deserialize, Serialize};

use super::Live;
use crate::types::TenantId;

/// A tenant at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Which.
    pub tenant: TenantId,
    /// The version of its business that new calls get.
    pub version: u64,
    /// Calls under way.
    pub calls: u32,
    /// Calls it may have at once.
    pub calls_max: u32,
}

impl Live {
    /// The tenant at a glance.
    #[must_use]
    pub fn status(&self) -> Status {
        let snapshot = self.snapshot();
        Status {
            tenant: self.tenant().clone(),
            version: snapshot.business.version,
            calls: self.calls(),
            calls_max: snapshot.business.policy.concurrent_calls_max,
        }
    }
}
