//! Making a backup, of a store that may be in use.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::item::{Head, Item, Object, Tail};
use super::key::KeySource;
use super::seal::Sealing;
use super::tally::Tally;
use super::{Error, Result};
use crate::storage::recordings::Recordings;
use crate::storage::{Page, Part, ROWS_VERSION, Storage};

/// Rows read at once.
const PAGE: usize = 500;
/// Items that wait for the disk.
const WAITING_MAX: usize = 4;

/// What goes into a backup, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file; there must be none yet.
    pub to: PathBuf,
    /// Its key.
    pub key: KeySource,
    /// With the recordings' objects.
    pub recordings: bool,
    /// With the master key, which is in this file.
    pub master_key: Option<PathBuf>,
    /// When it is made.
    pub now: Timestamp,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Summary {
    /// Rows of each part.
    pub rows: BTreeMap<Part, u64>,
    /// Objects of recordings.
    pub objects: u64,
    /// Their bytes.
    pub object_bytes: u64,
    /// Whether the master key is in it.
    pub master_key: bool,
    /// Whether the recordings' objects are in it.
    pub recordings: bool,
}

/// Writes a backup. Where the store can, its rows are those of one moment, while it goes on being written; others are
/// made to fit each other by [`super::Mending`]. A file that could not be finished is removed.
///
/// # Errors
/// [`Error`]: the key, the file, the store or the recordings.
pub async fn write(storage: &dyn Storage, recordings: &Recordings, options: Options) -> Result<Summary> {
    write_with(storage, Some(recordings), options).await
}

/// Writes a backup of the rows alone.
///
/// # Errors
/// [`Error`]: the key, the file or the store.
pub async fn write_rows(
    storage: &dyn Storage,
    to: &Path,
    key: &KeySource,
    now: Timestamp,
) -> Result<Summary> {
    let (to, key) = (to.to_owned(), key.clone());
    let options = Options { to, key, recordings: false, master_key: None, now };
    write_with(storage, None, options).await
}

async fn write_with(
    storage: &dyn Storage,
    recordings: Option<&Recordings>,
    options: Options,
) -> Result<Summary> {
    if options.to.exists() {
        return Err(Error::Exists { path: options.to });
    }
    let (items, given) = channel(WAITING_MAX);
    let (to, key) = (options.to.clone(), options.key.clone());
    let disk = tokio::task::spawn_blocking(move || to_disk(&to, &key, given));
    let summary = give(storage, recordings, &options, &items).await;
    drop(items);
    let written = disk.await.unwrap_or_else(|error| Err(Error::Stopped { why: error.to_string() }));
    match (summary, written) {
        // The disk's trouble is what stopped whoever gave.
        (Err(Error::Stopped { .. }), Err(error)) | (Ok(_), Err(error)) | (Err(error), _) => Err(error),
        (Ok(summary), Ok(())) => Ok(summary),
    }
}

async fn give(
    storage: &dyn Storage,
    recordings: Option<&Recordings>,
    options: &Options,
    items: &Sender<Item>,
) -> Result<Summary> {
    let recordings = recordings.filter(|_| options.recordings);
    // The rows are of one moment; what they name must lie there until it is copied.
    let _still = match recordings {
        Some(recordings) => Some(recordings.hold_still().await),
        None => None,
    };
    let frozen = storage.freeze()?;
    let head = Head {
        rows_version: ROWS_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: options.now,
        recordings: options.recordings,
        master_key: options.master_key.is_some(),
        one_moment: frozen.is_some(),
    };
    send(items, Item::Head(head)).await?;
    let mut tally = Tally::default();
    for part in Part::ALL {
        let mut page = Page::first(PAGE);
        loop {
            let listing = match &frozen {
                Some(frozen) => frozen.export(part, &page)?,
                None => storage.export(part, page).await?,
            };
            tally.add(&listing.rows)?;
            if !listing.rows.is_empty() {
                send(items, Item::Rows(listing.rows)).await?;
            }
            let Some(next) = listing.next else { break };
            page = Page { after: Some(next), limit: PAGE };
        }
    }
    drop(frozen);
    if let Some(path) = &options.master_key {
        let bytes = std::fs::read(path).map_err(|why| Error::File { path: path.clone(), why })?;
        send(items, Item::MasterKey(bytes)).await?;
    }
    let (mut objects, mut object_bytes) = (0, 0);
    if let Some(recordings) = recordings {
        let mut names = recordings.objects();
        while let Some(name) = names.next().await {
            let name = name?;
            // One that was removed since it was listed.
            let Some(bytes) = recordings.object(&name).await? else { continue };
            (objects, object_bytes) = (objects + 1, object_bytes + bytes.len() as u64);
            send(items, Item::Object(Object { name, bytes })).await?;
        }
    }
    let rows = tally.counts();
    let tail = Tail { rows: tally.into_sums(), objects };
    let tail = serde_json::to_vec(&tail).map_err(|error| Error::Stopped { why: error.to_string() })?;
    send(items, Item::Tail(tail)).await?;
    let master_key = options.master_key.is_some();
    Ok(Summary { rows, objects, object_bytes, master_key, recordings: options.recordings })
}

async fn send(items: &Sender<Item>, item: Item) -> Result<()> {
    let gone = |_| Error::Stopped { why: "its file can't be written".to_owned() };
    items.send(item).await.map_err(gone)
}

/// Writes what is given to a file beside the one that is wanted, which gets its name when it is whole.
fn to_disk(to: &Path, key: &KeySource, given: Receiver<Item>) -> Result<()> {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let written = write_all(&part, key, given).and_then(|()| {
        let failed = |why| Error::File { path: to.to_owned(), why };
        // Unlike a rename, this takes nobody's place.
        std::fs::hard_link(&part, to).map_err(failed)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    });
    // After the link it is the second name of the same file; before it, half a backup, which is none.
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, "what is left of a backup could not be removed");
        }
        _ => {}
    }
    written
}

fn write_all(part: &Path, key: &KeySource, mut given: Receiver<Item>) -> Result<()> {
    let failed = |why| Error::File { path: part.to_owned(), why };
    // One that a process left that died here.
    match std::fs::remove_file(part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(failed)?;
    let mut sealing = Sealing::begin(file, key)?;
    while let Some(item) = given.blocking_recv() {
        sealing.write_all(&item.to_bytes()?).map_err(failed)?;
        if matches!(item, Item::Tail(_)) {
            return sealing.finish().and_then(|file| file.sync_all()).map_err(failed);
        }
    }
    Err(Error::Stopped { why: "whoever made it gave up".to_owned() })
}
