//! The cache-aware FastConformer encoder, for many streams at once.
//!
//! Every stream has a row in the rings of each layer; a step gathers the rows of the streams that take part, and
//! writes back no more than the new frames. A stream begins by saying that nothing of its rings is valid.

mod attend;
mod attention;
mod block;
mod convolution;
mod feed_forward;
mod halving;
mod plan;
mod ring;
mod stack;
mod subsampling;

pub(super) use plan::Plan;
pub(super) use ring::{Places, Ring};
pub(super) use stack::Encoder;
