//! Tries engines with what is known: does the voice speak, how well is a reader understood, do paraphrases lie
//! close together, does a whole sentence sound finished? Blocks for as long as the engines take; for an operator's `doctor`, not for a call.

mod embeddings;
mod hearing;
mod pauses;
mod speaking;

pub use embeddings::{Likeness, embeddings};
pub use hearing::{Understood, hearing};
pub use pauses::{Finished, pauses};
pub use speaking::{Spoken, speaking};

use std::time::Duration;

/// An engine that takes longer for one answer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
