//! Audio between the wire and the engines: a few threads, batched system calls, one timer wheel.
//!
//! [`Media`] is the whole of it, [`Session`] one call's share. A session is told [`Control`]s and tells
//! [`MediaEvent`]s; audio goes through rings. Each thread serves its sessions from a wheel of 4 slots of
//! 5 ms: a session's slot comes round every 20 ms, and then, in one go, its packets are read, its next frame
//! is heard, and its next packet is sent. Nothing here is a task, a timer or a thread per call.

mod batch;
mod bridge;
mod claimants;
mod control;
mod decoding;
mod error;
mod expecting;
mod guard;
mod handle;
mod handshake;
mod hearing;
mod incoming;
mod line;
mod live;
pub mod metrics;
mod no_keys;
mod outgoing;
mod playout;
mod ports;
mod reporting;
mod session;
mod settings;
mod setup;
mod thread;
mod waiting;

#[cfg(test)]
mod hearing_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
mod quiet_tests;
#[cfg(test)]
mod setup_tests;
#[cfg(test)]
mod tests;

pub use control::{
    Codec, Connectivity, Control, Credentials, Direction, MediaEvent, MediaEvents, Protected, Stream,
};
pub use error::{Error, Gone};
pub use handle::{Counts, Media};
pub use handshake::{Handshake, Hash};
pub use line::{Line, LineEnd, Piece, Sent};
pub use no_keys::NoKeys;
pub use session::Session;
pub use settings::Settings;
