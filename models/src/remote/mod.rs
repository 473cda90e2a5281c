//! Engines on other nodes, and this node's engines for others, over gRPC.
//!
//! ```text
//! call ─▶ engine trait ─▶ client ─▶ (HTTP/2, mTLS) ─▶ server ─▶ engine trait ─▶ model
//!                           │ failover: which node, what is heard again, what was told
//! ```
//!
//! - [`wire`]: the messages and the names of the methods.
//! - [`server`]: this node's engines for others, each stream by the engine's own grant.
//! - [`client`]: the same traits as every engine, so that whoever holds one doesn't know where it works.
//! - [`failover`]: decides which node is next, what it hears again, and what is not told twice; pure.
//! - [`compose`]: which of a node's senses are its own and which another node's.
//!
//! A language model has no methods here.

mod client;
mod compose;
mod failover;
pub mod metrics;
mod renewal;
mod security;
mod server;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

pub use client::Remote;
pub use compose::{Senses, compose};
pub use server::{Served, Server};
pub use settings::{Certificates, ClientSettings, ServerSettings, Settings};

/// The engines of other nodes, as configured and logged.
pub const NAME: &str = "remote";
