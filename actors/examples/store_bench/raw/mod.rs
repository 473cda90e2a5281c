//! The drivers by themselves: what the interface is measured against.

#[cfg(feature = "scylla")]
pub(crate) mod cassandra;
pub(crate) mod redb;

use actors::types::CallRecord;
use async_trait::async_trait;

use super::Failure;

/// A driver that writes the rows that the interface writes, each once: no reads before writes, no checks, no order
/// between rows.
#[async_trait]
pub(crate) trait Raw: Send + Sync {
    /// Writes the rows of a call that begins; durable when it returns.
    async fn begin(&self, record: &CallRecord) -> Result<(), Failure>;
    /// Writes those that its end changes; durable when it returns.
    async fn end(&self, record: &CallRecord) -> Result<(), Failure>;
}
