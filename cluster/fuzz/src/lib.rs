//! The parsers of `cluster` that see the network, without the rest of it: the same source files, so that building
//! them with coverage counters takes minutes and not an hour.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "what the targets don't use is used by the node")]

pub mod edge;
#[path = "../../src/fuzzing/mod.rs"]
pub mod fuzzing;
#[path = "../../src/rtp/mod.rs"]
pub mod rtp;
#[path = "../../src/sip/mod.rs"]
pub mod sip;

/// Gives these bytes to the target of this name.
pub fn run(name: &str, bytes: &[u8]) {
    let target = fuzzing::TARGETS.iter().find(|(known, _)| *known == name);
    target.expect("a target of this name").1(bytes);
}
