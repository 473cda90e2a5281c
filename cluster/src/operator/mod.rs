//! What operators may ask of a node's data: one protocol, executed by one function, whether a node runs or not.
//!
//! ```text
//! command line ─ no node here ──────────────────────▶ execute(Desk, Request)
//!              └ node.json: POST /operator + token ─▶ gateway ─▶ execute(Desk, Request)
//! ```
//! The embedded store belongs to one process at a time, so the command line opens it only where no node does.

mod client;
mod erase;
mod execute;
mod job;
mod presence;
mod request;
mod search;
mod token;
mod users;

pub use client::{Client, Error as ClientError};
pub use execute::{Desk, execute};
pub use job::{Job, JobOutcome, Jobs};
pub use presence::Presence;
pub use request::{Answer, CallPart, Counts, Days, Failure, FoundCalls, Request, Rows};
pub use token::Token;
