//! Many callers, and the verdict.
//!
//! The harness starts a node of its own as a separate process, calls it over real SIP and RTP on loopback, and
//! prints what a call cost beside the design's budget. Callers use this project's own SIP and RTP; SIPp and
//! baresip, in `cluster/tests`, are the independent witnesses.

pub mod caller;
pub mod measure;
pub mod node;
mod pacing;
pub mod ramp;
pub mod report;
pub mod run;
pub mod scenario;
pub mod set_up;
pub mod verdict;
