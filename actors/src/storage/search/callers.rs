//! Callers as the index knows them: by a keyed hash, not by their number.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::rand::fill;

use crate::types::{PhoneNumber, Private, TenantId};

/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// Bytes of the hash that are kept: enough that no two callers are taken for one.
const HASH_BYTES: usize = 16;

/// The key that hashes callers' numbers: HMAC-SHA-256 (RFC 2104), new with every new index.
///
/// It lies beside the index: it keeps numbers out of the index's files and out of what is left of them on a disk, and
/// a business's callers apart from another's. Whoever has the whole folder can test for a number they know.
pub(super) struct Callers(Key);

impl Callers {
    /// Reads the key; `None` where there is none or it is not one.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        match std::fs::File::open(path) {
            Ok(file) => file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok((bytes.len() == KEY_BYTES).then(|| Self(Key::new(HMAC_SHA256, &bytes))))
    }

    /// Makes a key in a file that only its owner reads.
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        let mut bytes = [0; KEY_BYTES];
        fill(&mut bytes).map_err(|_| io::Error::other("the system gave no randomness"))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// What stands for a business's caller.
    pub(super) fn hash(&self, tenant: &TenantId, caller: &Private<PhoneNumber>) -> String {
        let text = format!("{tenant}\0{}", caller.reveal().as_str());
        sign(&self.0, text.as_bytes())
            .as_ref()
            .iter()
            .take(HASH_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
