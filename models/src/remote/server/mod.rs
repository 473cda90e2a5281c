//! This node's engines for other nodes.
//!
//! - [`start`]: the listener, and its orderly end.
//! - [`connections`], [`handshakes`]: so many connections and no more, and whose they are.
//! - [`service`]: which method a request means.
//! - [`desk`]: what all streams share: engines, places, whether there is an end.
//! - [`hearing`], [`speaking`], [`comparing`], [`judging`]: a stream or a request of each sense.
//! - [`outbox`]: events that wait to be sent to one caller's node.
//! - [`check`]: what is asked, held against the bounds.

mod check;
mod comparing;
mod connections;
mod desk;
mod handshakes;
mod hearing;
mod judging;
mod outbox;
mod service;
mod speaking;
mod start;

pub use desk::Served;
pub use start::Server;
