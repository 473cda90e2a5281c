//! Keys: each business's key sealed by the master key in the store, each recording's key sealed by its business's.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand::fill;
use parking_lot::Mutex;

use super::master::MasterKey;
use super::{Error, Result};
use crate::storage::address_book::AddressBook;
use crate::storage::{self, Page, Storage};
use crate::types::{RecordingId, TenantId};

/// A key of AES-256.
pub(super) type KeyBytes = [u8; 32];

/// How sealed keys are written: this byte, the nonce, the sealed key with its tag.
const FORMAT: u8 = 1;
/// Businesses whose opened keys are kept at hand.
const CACHED_MAX: usize = 4_096;
/// Keys that are sealed anew in one look at the list.
const RESEAL_PAGE: usize = 256;

/// A new key.
pub(super) fn random() -> Result<KeyBytes> {
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
    /// What the node knows of businesses' sealed keys while the store does not answer.
    known: OnceLock<Arc<AddressBook>>,
    opened: Mutex<HashMap<TenantId, Arc<RandomizedNonceKey>>>,
}

impl Keys {
    pub(super) fn new(master: MasterKey, storage: Arc<dyn Storage>) -> Self {
        Self { master, storage, known: OnceLock::new(), opened: Mutex::default() }
    }

    pub(super) fn know_by(&self, book: Arc<AddressBook>) {
        let _ = self.known.set(book);
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

    /// Forgets an opened key.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.opened.lock().remove(tenant);
        self.note(tenant, None);
    }

    /// A business's key, made where it has none and `make` says so.
    async fn of(&self, tenant: &TenantId, make: bool) -> Result<Arc<RandomizedNonceKey>> {
        if let Some(key) = self.opened.lock().get(tenant) {
            return Ok(Arc::clone(key));
        }
        let which = || "the business's key".to_owned();
        let purpose = tenant_purpose(tenant);
        let sealed = match self.sealed(tenant).await? {
            Some(sealed) => sealed,
            None if make => {
                let new = self.master.seal(&purpose, &random()?).await?;
                let kept = self.storage.keep_key(tenant, &new).await?;
                self.note(tenant, Some(&kept));
                kept
            }
            None => {
                return Err(Error::Key {
                    which: which(),
                    why: "it was erased, with its recordings".to_owned(),
                });
            }
        };
        let bytes = self.master.unseal(&purpose, &sealed).await?.ok_or_else(|| other_master(&self.master))?;
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

impl Keys {
    /// A business's sealed key: the store's, or while that is away the one that it last told of. One that nobody has
    /// told of yet is not made without the store: another node may make one, too.
    async fn sealed(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        match self.storage.key(tenant).await {
            Ok(sealed) => {
                self.note(tenant, sealed.as_deref());
                Ok(sealed)
            }
            Err(error @ (storage::Error::Unavailable { .. } | storage::Error::Unknown { .. })) => {
                let known = self.known.get().and_then(|book| book.key(tenant));
                known.map(|sealed| Some(sealed.to_vec())).ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn note(&self, tenant: &TenantId, sealed: Option<&[u8]>) {
        if let Some(book) = self.known.get() {
            book.note_key(tenant, sealed);
        }
    }
}

/// What a business's key is sealed for.
fn tenant_purpose(tenant: &TenantId) -> String {
    format!("tenant|{tenant}")
}

fn other_master(master: &MasterKey) -> Error {
    Error::Key {
        which: "the business's key".to_owned(),
        why: format!("{} is not the master key that sealed it; put the right one there", master.place()),
    }
}

/// Seals every business's key anew, so that `from` is needed no more. Those that `to` opens already are left, so
/// that it can be done again where it was cut short. The keys that were sealed anew, by business. No recording is
/// touched.
///
/// # Errors
/// [`Error::Key`] where neither opens a key; those of the store and of the master keys.
pub async fn reseal(storage: &dyn Storage, from: &MasterKey, to: &MasterKey) -> Result<Vec<TenantId>> {
    let (mut done, mut page) = (Vec::new(), Page::first(RESEAL_PAGE));
    loop {
        let listing = storage.keys(page).await?;
        for row in listing.rows {
            let purpose = tenant_purpose(&row.tenant);
            if to.unseal(&purpose, &row.sealed).await?.is_some() {
                continue;
            }
            let key = from.unseal(&purpose, &row.sealed).await?.ok_or_else(|| other_master(from))?;
            let sealed = to.seal(&purpose, &key).await?;
            match storage.replace_key(&row.tenant, &row.sealed, &sealed).await {
                Ok(()) => done.push(row.tenant),
                // It was erased, or another process was faster; that one's work counts.
                Err(storage::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let Some(next) = listing.next else { return Ok(done) };
        page = Page { after: Some(next), limit: RESEAL_PAGE };
    }
}

fn purpose(tenant: &TenantId, recording: RecordingId) -> String {
    format!("recording|{tenant}|{recording}")
}

pub(super) fn seal(with: &RandomizedNonceKey, purpose: &str, key: &KeyBytes) -> Result<Vec<u8>> {
    let failed = |_| Error::Key { which: "a new key".to_owned(), why: "it could not be sealed".to_owned() };
    let mut body = key.to_vec();
    let nonce = with.seal_in_place_append_tag(Aad::from(purpose), &mut body).map_err(failed)?;
    let mut sealed = vec![FORMAT];
    sealed.extend(nonce.as_ref());
    sealed.extend(body);
    Ok(sealed)
}

pub(super) fn open(with: &RandomizedNonceKey, purpose: &str, sealed: &[u8]) -> Option<KeyBytes> {
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
