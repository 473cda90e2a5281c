//! The drivers by themselves: what the interface is measured against.

#[cfg(feature = "scylla")]
pub(crate) mod cassandra;
#[cfg(feature = "scylla")]
pub(crate) mod in_order;
pub(crate) mod redb;

use actors::types::CallRecord;
use async_trait::async_trait;

use super::Failure;

/// A driver that writes the rows that the interface writes, each once, with nothing of this program's store in
/// between.
#[async_trait]
pub(crate) trait Raw: Send + Sync {
    /// Writes the rows of a call that begins; durable when it returns.
    async fn begin(&self, record: &CallRecord) -> Result<(), Failure>;
    /// Writes those that its end changes; durable when it returns.
    async fn end(&self, record: &CallRecord) -> Result<(), Failure>;
}
