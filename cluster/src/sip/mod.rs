//! ◇ SIP as values (RFC 3261): checks, offer and answer, dialogs. No socket, no clock, no task.
//!
//! The only place that names the parser and transaction package; [`wire`] says what of it is used.

pub mod check;
pub mod destination;
pub mod dialog;
pub mod digest;
pub mod numbers;
pub mod respond;
pub mod salvage;
pub mod sdp;
pub mod wheel;
pub mod wire;
