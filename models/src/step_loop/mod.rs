//! Drives a [`Model`] on a thread of its own, which owns the model's tensors, and outlives its faults.
//!
//! ```text
//! StepLoop::start ─► thread: build → warm up → canary → ready ─► step, step, step …
//!      │                        ▲                                  │ panic, no number, out of memory
//!      └ open ─► Stream ──push──┤            build → canary ◄──────┘ every stream's held inputs again
//! ```
//! - [`start`]: the handle: starts the loop, opens streams.
//! - [`stream`]: one stream, held by whoever feeds it.
//! - [`device`]: what the engines of one device share: admission.
//! - [`processor`]: where a model's tensors lie.
//! - [`thread`]: the loop itself; [`prepare`]: build, warm-up, canary; [`canary`]: again while it runs; [`watchdog`]: stalls and lag.

mod canary;
mod device;
mod listener;
pub mod metrics;
mod model;
mod prepare;
mod processor;
mod settings;
mod shared;
mod start;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod watchdog;

pub use device::{Device, HeldGrant};
pub use listener::{Event, Listener};
pub use model::{Failure, Model, Row};
pub use prepare::Preparation;
pub use processor::{Precision, Processor};
pub use settings::Settings;
pub use shared::{Counts, Health};
pub use start::StepLoop;
pub use stream::{Refused, Stream};
