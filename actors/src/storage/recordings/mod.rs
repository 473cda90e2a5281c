//! Recordings: what both sides of a call said, sealed, in segments that are kept as the call goes.
//!
//! A recording is a folder of objects, of segments of a second or two: G.711 µ-law (ITU-T), caller left and
//! receptionist right, each sealed with the recording's own key and its place. That key is sealed with its
//! business's key, and that with the master key: whoever drops a key has erased what it sealed, in every copy. A
//! process that dies loses the segment it was filling. After the call the segments become one Ogg/Opus object.
//!
//! ```text
//! ring ─▶ drain ─▶ keeper ─▶ bundles in a folder ──────▶ merger ─▶ one object ─▶ playback
//!                        └─▶ spool ─▶ S3, GCS or Azure ┘
//! ```

mod bulk;
mod bundles;
mod drain;
mod error;
mod keeper;
mod keys;
pub mod kms;
mod master;
pub mod merge;
mod objects;
mod playback;
mod recorder;
pub mod remote;
mod removal;
mod salvage;
mod seal;
mod segments;
pub mod spool;

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::address_book::AddressBook;
use super::{Recording, Storage};
use crate::types::{RecordingId, TenantId};

pub use bulk::ObjectFolder;
pub use error::{Error, Result};
pub use keys::reseal;
pub use master::MasterKey;
pub use playback::{Extract, Format, Played};
pub use recorder::{Handle, Recorder};

use bundles::Bundles;
use keys::Keys;
use objects::Objects;
use remote::Opened;
use spool::Spool;

/// Bounds of recordings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where they lie: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///folder`; empty
    /// for a folder in the data directory. Credentials come from the cloud's usual environment.
    pub url: String,
    /// The key that opens them: a file, or `aws-kms://region/key-id-or-alias`; empty for `master.key` in the data
    /// directory.
    pub master_key: String,
    /// How long a segment is, in milliseconds: what a crash loses at most, with what waits in the ring. At most
    /// 4,000. Over the network each is an object of its own.
    pub segment_ms: u32,
    /// The same where they lie in a local folder, in which many share a file.
    pub folder_segment_ms: u32,
    /// How often the rings are emptied, in milliseconds.
    pub drain_ms: u64,
    /// How much of both sides a ring holds, in milliseconds: what a recorder that is late may miss. At most 512,
    /// which is 8 KB.
    pub ring_ms: u32,
    /// The most recordings at once.
    pub recordings_max: usize,
    /// Writers of segments. Each wakes threads for what it keeps at once, so that few with much to do cost less than many.
    pub keepers: usize,
    /// The most segments that wait for each writer.
    pub waiting_max: usize,
    /// The most segments that one recording fills while its writer is behind; then the oldest is given up.
    pub behind_max: u32,
    /// Tries to write a segment.
    pub attempts_max: u32,
    /// The wait between two tries, in milliseconds.
    pub retry_ms: u64,
    /// The longest recording that is read into memory, in seconds; longer ones are exported to a file.
    pub read_seconds_max: u64,
    /// How a store of objects over the network is reached.
    pub objects: remote::Settings,
    /// Where segments wait for such a store.
    pub spool: spool::Settings,
    /// What becomes of the segments after the call.
    pub merge: merge::Settings,
    /// How a key management service is reached.
    pub kms: kms::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: String::new(),
            master_key: String::new(),
            segment_ms: 2_000,
            folder_segment_ms: 1_000,
            drain_ms: 125,
            ring_ms: 384,
            recordings_max: 10_000,
            keepers: 2,
            waiting_max: 128,
            behind_max: 4,
            attempts_max: 3,
            retry_ms: 200,
            read_seconds_max: 7_200,
            objects: remote::Settings::default(),
            spool: spool::Settings::default(),
            merge: merge::Settings::default(),
            kms: kms::Settings::default(),
        }
    }
}

/// Where recordings lie and what opens them. Cheap to clone.
#[derive(Clone)]
pub struct Recordings {
    objects: Objects,
    keys: Arc<Keys>,
    storage: Arc<dyn Storage>,
    /// Read by whoever copies recordings with the rows that name them, written by whoever takes segments away.
    still: Arc<RwLock<()>>,
}

impl std::fmt::Debug for Recordings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recordings").field("objects", &self.objects).finish_non_exhaustive()
    }
}

/// The folders of a data directory that recordings use.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Where they lie, if no URL says otherwise.
    pub recordings: PathBuf,
    /// Where segments wait for a store over the network.
    pub spool: PathBuf,
}

impl Recordings {
    /// Recordings in any store of objects, without a spool.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, master: MasterKey, storage: Arc<dyn Storage>) -> Self {
        Self {
            objects: Objects { store, spool: None, bundles: None },
            keys: Arc::new(Keys::new(master, Arc::clone(&storage))),
            storage,
            still: Arc::default(),
        }
    }

    /// While the store does not answer, businesses' sealed keys are those that this book knows, if there is one. The
    /// first one stays.
    pub fn know_keys_by(&self, book: Option<Arc<AddressBook>>) {
        if let Some(book) = book {
            self.keys.know_by(book);
        }
    }

    /// Keeps this process from taking segments away that a row of before may name, until it is dropped. What is
    /// merged meanwhile loses its segments later; what is erased is gone all the same.
    pub async fn hold_still(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.still).read_owned().await
    }

    /// Recordings where the settings' URL says; over the network, with a spool.
    ///
    /// # Errors
    /// A folder can't be made or used, or the URL is none that is known.
    pub fn open(
        settings: &Settings,
        folders: &Folders,
        master: MasterKey,
        storage: Arc<dyn Storage>,
    ) -> Result<Self> {
        let opened = remote::open(&settings.url, &folders.recordings, &settings.objects, &[])?;
        let recordings = Self::opened(opened, master, storage);
        match recordings.objects.bundles {
            Some(_) => Ok(recordings),
            None => recordings.with_spool(&folders.spool, &settings.spool),
        }
    }

    fn opened(opened: Opened, master: MasterKey, storage: Arc<dyn Storage>) -> Self {
        let mut recordings = Self::new(opened.store, master, storage);
        recordings.objects.bundles = opened.folder.map(Bundles::new);
        recordings
    }

    /// The same, with a spool in this folder.
    fn with_spool(mut self, folder: &Path, settings: &spool::Settings) -> Result<Self> {
        self.objects.spool = Some(Arc::new(Spool::open(folder, settings)?));
        Ok(self)
    }

    /// Recordings in a local folder, which is made if it is not there. Only its owner can enter it, so that
    /// nobody else sees who called when, whatever the rights of the files in it.
    ///
    /// # Errors
    /// The folder can't be made or used.
    pub fn in_folder(folder: &Path, master: MasterKey, storage: Arc<dyn Storage>) -> Result<Self> {
        Ok(Self::opened(remote::in_folder(folder)?, master, storage))
    }
}

/// Makes a folder that only its owner enters; one that is there is closed to others.
fn make_private(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match std::fs::metadata(folder)?.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(folder, Permissions::from_mode(0o700)),
    }
}

/// The folder of a business's recordings.
fn tenant_folder(tenant: &TenantId) -> ObjectPath {
    ObjectPath::from_iter([tenant.as_str()])
}

/// The object that a recording was merged into.
fn merged_object(row: &Recording, object: &str) -> ObjectPath {
    ObjectPath::from_iter([row.tenant.as_str(), &row.id.to_string(), object])
}

/// The folder of a recording's segments.
fn folder_of(tenant: &TenantId, recording: RecordingId) -> ObjectPath {
    ObjectPath::from_iter([tenant.as_str(), &recording.to_string()])
}

/// A segment's object.
fn object_of(tenant: &TenantId, recording: RecordingId, index: u32) -> ObjectPath {
    ObjectPath::from_iter([tenant.as_str(), &recording.to_string(), &format!("{index:08}.sealed")])
}

/// The number of a segment by its object's name.
fn index_of(object: &ObjectPath) -> Option<u32> {
    object.filename()?.strip_suffix(".sealed")?.parse().ok()
}

#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;
