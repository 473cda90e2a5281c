//! The drivers by themselves: what the interface is measured against.

#[cfg(feature = "scylla")]
pub(crate) mod cassandra;
pub(crate) mod redb;

use actors::types::CallRecord;
use async_trait::async_trait;

use super::Failure;

/// A driver that writes the rows that the interface writes.
#[async_trait]
pub(crate) trait Raw: Send + Sync {
    /// Writes a call's rows; durable when it returns.
    async fn put(&self, record: &CallRecord) -> Result<(), Failure>;
}
