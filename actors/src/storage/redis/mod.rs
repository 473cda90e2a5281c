//! What nodes share, on Redis or Valkey: single, behind Sentinel, or a Redis Cluster, by the address. The only
//! folder that names fred.
//!
//! ```text
//! coordination ── script (EVALSHA, given again where it was forgotten) ── command (deadline, tries, class of error)
//!       └── hints (a connection of its own)                                 └── link (the client, made anew when lost)
//! ```
//!
//! A command whose repetition would count twice is tried once. Scripts use the server's clock. Keys that one script
//! touches share a hash tag, so that they lie in one slot of a cluster.

mod command;
mod connect;
mod coordination;
mod error;
mod hints;
mod keys;
mod link;
mod script;
#[cfg(test)]
mod tests;

pub(super) use coordination::Redis;
