//! The only file of this crate that asks for randomness.

use rand::Rng;
use rand::rngs::ThreadRng;

/// A cryptographically strong generator, seeded by the operating system; one per thread.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the named file")]
pub fn generator() -> ThreadRng {
    rand::rng()
}

/// A random number.
#[must_use]
pub fn number() -> u64 {
    generator().next_u64()
}

/// So many random bytes.
#[must_use]
pub fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    generator().fill_bytes(&mut bytes);
    bytes
}
