//! A store in one file: encrypted, restorable on a clean machine.
//!
//! ```text
//! "strowger backup 1\n" | kind of key u8 | rounds u32 | salt [32] | chunk…
//! chunk: last u8 | length u32 | AES-256-GCM of at most 1 MiB, bound to the heading, its number and `last`
//! inside: items of a length u32, a kind u8 and a body: the head, rows, objects, the tail with its sums
//! ```
//! Numbers are little-endian. The key of the file comes from a passphrase by PBKDF2-HMAC-SHA512 (RFC 8018) or from
//! a key file, and the file's own salt by HKDF-SHA256 (RFC 5869): no two files share a key. The businesses' sealed
//! keys are among the rows. The master key that seals them is in it only where that is asked for: without it no
//! recording can be heard.
//!
//! The rows are those of one moment where the store can give those; others are made one whole when they are
//! restored (`mend`).

mod error;
mod item;
mod key;
mod mend;
mod read;
mod seal;
mod tally;
mod whole;
mod write;

pub use error::{Error, Result};
pub use item::{Head, Item, Object};
pub use key::KeySource;
pub use mend::{Mended, Mending};
pub use read::Reader;
pub use tally::{Sum, Tally};
pub use whole::Whole;
pub use write::{Options, Summary, write, write_rows};

#[cfg(test)]
mod mend_tests;
#[cfg(test)]
mod tests;
