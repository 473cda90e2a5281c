//! ◇ SIP as values (RFC 3261): checks, offer and answer, dialogs. No socket, no clock, no task.
//!
//! The only place that names the parser and transaction package; [`wire`] says what of it is used.

pub mod check;
pub mod destination;
pub mod diagnosis;
pub mod dialog;
pub mod digest;
pub mod draws;
pub mod identity;
pub mod location;
pub mod numbers;
pub mod proof;
pub mod registration;
pub mod replaces;
pub mod respond;
pub mod salvage;
pub mod sdp;
pub mod wheel;
pub mod wire;
