//! The business: calls, tenants, integrations, and what they remember.

pub mod call;
pub mod storage;
pub mod tenant;
pub mod types;
