//! The carriers' values, without their shell.

#[path = "../../../src/edge/carriers/provider/mod.rs"]
pub mod provider;
