//! A running node: phone edges, HTTP gateway, configuration, telemetry, and its command line.
//!
//! - [`node`]: build, run, drain.
//! - [`edge`]: where calls come in; every caller becomes a leg.
//! - [`gateway`]: the HTTP address.
//! - [`operator`]: what an operator may ask of a node's data, running or not.
//! - [`config`]: the parts' settings as one file.
//! - [`command`]: the verbs of `strowger`.

pub mod chance;
pub mod clock;
pub mod command;
pub mod config;
pub mod edge;
pub mod fuzzing;
pub mod gateway;
pub mod node;
pub mod operator;
pub mod rtp;
pub mod sip;
pub mod telemetry;
