//! The only file of this crate that throws dice.

use std::hash::{BuildHasher, RandomState};

/// Somewhere to begin, other in every process. No secret: it only keeps nodes that start together apart.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0)
}
