//! The business: calls, tenants, integrations, and what they remember.

pub mod call;
pub mod chance;
pub mod clock;
pub mod config;
pub mod directory;
pub mod integrations;
pub mod metrics;
pub mod storage;
pub mod supervision;
pub mod tenant;
pub mod types;
