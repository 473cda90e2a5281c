//! A running node: phone edges, HTTP gateway, configuration, telemetry.

pub mod chance;
pub mod clock;
pub mod edge;
pub mod rtp;
pub mod sip;
