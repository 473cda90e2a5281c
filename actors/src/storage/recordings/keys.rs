//! Keys: the node's master key in a file, each business's key sealed by it in the store, each recording's key
//! sealed by its business's.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand::fill;
use parking_lot::Mutex;

use super::{Error, Result};
use crate::storage::Storage;
use crate::types::{RecordingId, TenantId};

/// A key of AES-256.
pub(super) type KeyBytes = [u8; 32];

/// How sealed keys are written: this byte, the nonce, the sealed key with its tag.
const FORMAT: u8 = 1;
/// Businesses whose opened keys are kept at hand.
const CACHED_MAX: usize = 4_096;

/// The key that seals all others. Whoever has it and the data can listen; whoever loses it can't any more.
pub struct MasterKey {
    key: RandomizedNonceKey,
    path: String,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MasterKey").field("path", &self.path).finish_non_exhaustive()
    }
}

impl MasterKey {
    /// Reads the key from its file, or makes one, readable by its owner only, where there is no such file.
    ///
    /// # Errors
    /// [`Error::Key`] where the file can't be read or made, is open to others, or holds no key.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let failed = |why: String| Error::Key { which: format!("the master key in {shown}"), why };
        let bytes = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => make(file, path).map_err(|why| failed(format!("it can't be written: {why}")))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => read(path).map_err(failed)?,
            Err(error) => return Err(failed(format!("it can't be made: {error}; check the folder's owner"))),
        };
        let key =
            RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| failed("no cipher".to_owned()))?;
        Ok(Self { key, path: shown })
    }
}

fn make(mut file: File, path: &Path) -> std::io::Result<KeyBytes> {
    let bytes = random().map_err(|error| std::io::Error::other(error.to_string()))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all()?,
        _ => {}
    }
    Ok(bytes)
}

fn read(path: &Path) -> std::result::Result<KeyBytes, String> {
    let mode = std::fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "others may read it (mode {:o}); run: chmod 600 {}",
            mode & 0o777,
            path.display()
        ));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{error}; start the node as the file's owner"))?;
    let digits = text.trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        "it does not hold 64 hexadecimal digits; restore it from a copy, since without it no recording can be \
         heard"
            .to_owned()
    })
}

/// A new key.
fn random() -> Result<KeyBytes> {
    let mut bytes = [0; 32];
    fill(&mut bytes).map_err(|_| Error::Key {
        which: "a new key".to_owned(),
        why: "the system gave no randomness".to_owned(),
    })?;
    Ok(bytes)
}

/// All keys, opened as they are needed.
pub(super) struct Keys {
    master: MasterKey,
    storage: Arc<dyn Storage>,
    opened: Mutex<HashMap<TenantId, Arc<RandomizedNonceKey>>>,
}

impl Keys {
    pub(super) fn new(master: MasterKey, storage: Arc<dyn Storage>) -> Self {
        Self { master, storage, opened: Mutex::default() }
    }

    /// A new key for a recording, and the same one sealed.
    pub(super) async fn make(
        &self,
        tenant: &TenantId,
        recording: RecordingId,
    ) -> Result<(KeyBytes, Vec<u8>)> {
        let key = random()?;
        let sealed = seal(&*self.of(tenant, true).await?, &purpose(tenant, recording), &key)?;
        Ok((key, sealed))
    }

    /// A recording's key.
    pub(super) async fn open(
        &self,
        tenant: &TenantId,
        recording: RecordingId,
        sealed: &[u8],
    ) -> Result<KeyBytes> {
        let key = self.of(tenant, false).await?;
        open(&key, &purpose(tenant, recording), sealed).ok_or_else(|| Error::Key {
            which: "the recording's key".to_owned(),
            why: "it was changed, or belongs to another recording or business".to_owned(),
        })
    }

    /// A business's key, made where it has none and `make` says so.
    async fn of(&self, tenant: &TenantId, make: bool) -> Result<Arc<RandomizedNonceKey>> {
        if let Some(key) = self.opened.lock().get(tenant) {
            return Ok(Arc::clone(key));
        }
        let which = || "the business's key".to_owned();
        let purpose = format!("tenant|{tenant}");
        let sealed = match self.storage.key(tenant).await? {
            Some(sealed) => sealed,
            None if make => {
                let new = seal(&self.master.key, &purpose, &random()?)?;
                self.storage.keep_key(tenant, &new).await?
            }
            None => {
                return Err(Error::Key {
                    which: which(),
                    why: "it was erased, with its recordings".to_owned(),
                });
            }
        };
        let bytes = open(&self.master.key, &purpose, &sealed).ok_or_else(|| Error::Key {
            which: which(),
            why: format!(
                "{} is not the master key that sealed it; put the right one there",
                self.master.path
            ),
        })?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| Error::Key { which: which(), why: "no cipher".to_owned() })?;
        let key = Arc::new(key);
        let mut opened = self.opened.lock();
        if opened.len() >= CACHED_MAX {
            opened.clear();
        }
        opened.insert(tenant.clone(), Arc::clone(&key));
        Ok(key)
    }
}

fn purpose(tenant: &TenantId, recording: RecordingId) -> String {
    format!("recording|{tenant}|{recording}")
}

fn seal(with: &RandomizedNonceKey, purpose: &str, key: &KeyBytes) -> Result<Vec<u8>> {
    let failed = |_| Error::Key { which: "a new key".to_owned(), why: "it could not be sealed".to_owned() };
    let mut body = key.to_vec();
    let nonce = with.seal_in_place_append_tag(Aad::from(purpose), &mut body).map_err(failed)?;
    let mut sealed = vec![FORMAT];
    sealed.extend(nonce.as_ref());
    sealed.extend(body);
    Ok(sealed)
}

fn open(with: &RandomizedNonceKey, purpose: &str, sealed: &[u8]) -> Option<KeyBytes> {
    let (&format, rest) = sealed.split_first()?;
    let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
    if format != FORMAT || body.len() != 32 + MAX_TAG_LEN {
        return None;
    }
    let mut body = body.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let key = with.open_in_place(nonce, Aad::from(purpose), &mut body).ok()?;
    (&*key).try_into().ok()
}
