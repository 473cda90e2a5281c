//! A live call's state as kept in the store: enough for another process to go on, or to say what was lost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::types::{CallId, CallTime, TenantId};

/// The version of this layout. The conversation's and the brain's bytes carry their own.
const VERSION: u16 = 1;

/// A live call's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Which call.
    pub call: CallId,
    /// Whose.
    pub tenant: TenantId,
    /// The version of the business it runs with.
    pub business_version: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// How far it was.
    pub at: CallTime,
    /// The number of its next event.
    pub next_seq: u32,
    /// The conversation.
    pub conversation: Vec<u8>,
    /// The brain.
    pub brain: Vec<u8>,
}

/// What can be wrong with kept bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// They were written by another version of this program.
    #[error("the checkpoint has version {found}, this program reads another")]
    Version {
        /// The version found.
        found: u16,
    },
    /// They are damaged.
    #[error("the checkpoint can't be read: {why}")]
    Damaged {
        /// What was found wrong.
        why: String,
    },
}

impl Checkpoint {
    /// The bytes to keep.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a part can't be written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        postcard::to_stdvec(&(VERSION, self)).map_err(|error| Error::Damaged { why: error.to_string() })
    }

    /// Reads kept bytes.
    ///
    /// # Errors
    /// [`Error`] where they are of another version or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |error: postcard::Error| Error::Damaged { why: error.to_string() };
        let (found, rest) = postcard::take_from_bytes::<u16>(bytes).map_err(damaged)?;
        if found != VERSION {
            return Err(Error::Version { found });
        }
        postcard::from_bytes(rest).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_wrote_and_nothing_else() {
        let checkpoint = Checkpoint {
            call: CallId::default(),
            tenant: TenantId::new("barber"),
            business_version: 3,
            started_at: Timestamp::UNIX_EPOCH,
            at: CallTime::from_ms(4_200),
            next_seq: 17,
            conversation: vec![1, 2, 3],
            brain: vec![4],
        };
        let bytes = checkpoint.to_bytes().expect("written");
        assert_eq!(Checkpoint::from_bytes(&bytes), Ok(checkpoint));
        let mut newer = bytes.clone();
        newer[0] = 2;
        assert_eq!(Checkpoint::from_bytes(&newer), Err(Error::Version { found: 2 }));
        assert!(Checkpoint::from_bytes(&bytes[..bytes.len() - 2]).is_err());
    }
}
