//! What else has something of a call: an index, which is derived and told what is gone.

use async_trait::async_trait;

use crate::types::{CallId, TenantId};

/// An index over calls. What it is told to forget is gone from the store already.
#[async_trait]
pub trait Index: Send + Sync {
    /// Forgets calls, also in what lies on disk.
    ///
    /// # Errors
    /// Why they are still in it.
    async fn forget_calls(&self, calls: Vec<CallId>) -> Result<(), String>;

    /// Forgets all calls of a business.
    ///
    /// # Errors
    /// Why they are still in it.
    async fn forget_business(&self, tenant: &TenantId) -> Result<(), String>;
}
