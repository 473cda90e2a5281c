//! Calls by SIP: sockets, transactions and dialogs on a few tasks, each call a [`Leg`].
//!
//! Datagrams and connections are read by tasks of their own, which only choose a shard by Call-ID. A shard
//! has its share of the transactions and calls, one timer wheel, and nothing in common with the others; no
//! call has a task or a timer of its own. What decides is in [`crate::sip`].
//!
//! [`Leg`]: actors::call::leg::Leg

mod account;
mod addresses;
mod attesting;
mod calling;
mod connections;
mod counts;
mod error;
mod exchange;
mod guard;
mod learning;
mod leg;
pub mod metrics;
mod names;
mod registrations;
mod settings;
mod shard;
mod sources;
pub(in crate::edge) mod switch;
mod tcp;
mod tls;
mod transports;
pub mod trial;
mod trunk;
mod udp;
mod ws;

pub use account::Account;
pub use attesting::Settings as Believing;
pub use counts::Counts;
pub use error::Error;
pub use guard::{Carrier, Settings as Guarding};

pub use crate::sip::destination::Transport;
pub use names::Settings as Looking;
pub use registrations::State as Registration;
pub use settings::Settings;
pub use tls::Settings as Secure;
pub use trunk::{Listening, Trunk};
