//! Audio between the wire and the engines: a few threads, batched system calls, one timer wheel.

mod control;

pub use control::{Codec, Control, Direction, MediaEvent, MediaEvents, Stream};
