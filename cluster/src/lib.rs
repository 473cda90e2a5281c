//! A running node: phone edges, HTTP gateway, configuration, telemetry.

pub mod edge;
