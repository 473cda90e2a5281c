//! Sealing segments: AES-256-GCM with the segment's number as the nonce, and its whole place as what is bound to
//! it, so that no segment can be changed, moved, swapped or left off the end unnoticed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::keys::KeyBytes;
use super::{Error, Result};
use crate::types::{CallId, RecordingId, TenantId};

/// The largest segment, in bytes before it is sealed.
pub(super) const SEGMENT_BYTES_MAX: usize = 64 << 10;
/// What the seal adds to a segment, in bytes.
pub(super) const SEAL_BYTES: usize = 16;

/// Seals and opens one recording's segments. A number is sealed once: its nonce is used once.
pub(super) struct Seal {
    key: LessSafeKey,
    place: String,
}

impl Seal {
    pub(super) fn new(
        key: &KeyBytes,
        tenant: &TenantId,
        call: CallId,
        recording: RecordingId,
    ) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Key {
            which: "the recording's key".to_owned(),
            why: "no cipher".to_owned(),
        })?;
        Ok(Self { key: LessSafeKey::new(key), place: format!("{tenant}|{call}|{recording}") })
    }

    fn nonce(index: u32) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 4..].copy_from_slice(&index.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn bound(&self, index: u32, last: bool) -> Aad<String> {
        Aad::from(format!("{}|{index}|{}", self.place, u8::from(last)))
    }

    /// Seals a segment.
    pub(super) fn seal(&self, index: u32, last: bool, mut audio: Vec<u8>) -> Result<Vec<u8>> {
        self.key
            .seal_in_place_append_tag(Self::nonce(index), self.bound(index, last), &mut audio)
            .map_err(|_| Error::Altered { index })?;
        Ok(audio)
    }

    /// Opens a segment.
    pub(super) fn open(&self, index: u32, last: bool, sealed: &[u8]) -> Result<Vec<u8>> {
        let mut audio = sealed.to_vec();
        let length = self
            .key
            .open_in_place(Self::nonce(index), self.bound(index, last), &mut audio)
            .map_err(|_| Error::Altered { index })?
            .len();
        audio.truncate(length);
        Ok(audio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(recording: u128) -> Seal {
        let id = |number| uuid::Uuid::from_u128(number);
        Seal::new(&[7; 32], &TenantId::new("barbers"), CallId::new(id(1)), RecordingId::new(id(recording)))
            .expect("a key")
    }

    #[test]
    fn a_segment_opens_in_its_place_only() {
        let sealed = seal(1).seal(3, false, vec![1, 2, 3]).expect("sealed");
        assert_eq!(seal(1).open(3, false, &sealed), Ok(vec![1, 2, 3]));
        for opened in
            [seal(1).open(4, false, &sealed), seal(1).open(3, true, &sealed), seal(2).open(3, false, &sealed)]
        {
            assert!(matches!(opened, Err(Error::Altered { .. })));
        }
        for length in 0..sealed.len() {
            assert!(seal(1).open(3, false, &sealed[..length]).is_err(), "cut to {length}");
        }
        let mut changed = sealed;
        changed[0] ^= 1;
        assert_eq!(seal(1).open(3, false, &changed), Err(Error::Altered { index: 3 }));
    }
}
