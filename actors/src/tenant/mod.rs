//! Tenants: the businesses that Strowger answers for.

pub mod import;
