//! Decides, and does nothing else: which node is next, what it hears again, and what is not told twice.
//!
//! - [`nodes`]: who is well, who is loaded, and who is asked next.
//! - [`replay`]: the audio of the turns that are not answered, and how far a node has it.
//! - [`told`]: what of a turn was told, so that another node's words go on from there.
//! - [`resume`]: an utterance that another node goes on with.

mod nodes;
mod replay;
mod resume;
#[cfg(test)]
mod tests;
mod told;

pub(super) use nodes::{Backoff, Load, Nodes};
pub(super) use replay::{Piece, Replay, Said};
pub(super) use resume::{Delivered, Rest};
