//! Bundles: in a local folder some tens of a recording's segments share a file, each at its place, so that a call makes
//! a file each half minute and not every second. A segment that was lost leaves a hole; that of a process that died may
//! be cut. Both are told by the seal, as everything else that is not as it was.
//!
//! Stores over the network have an object for each segment: nothing can be added to one there. Whoever reads looks for
//! both, for a backup may have been restored to another kind of place.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{Error, ObjectMeta};

use super::folder_of;
use super::seal::SEAL_BYTES;
use crate::storage::Recording;

/// Segments of a bundle.
const SEGMENTS: u32 = 32;

/// A bundle's object, and where in it a segment lies; the last of a recording ends earlier.
pub(super) fn bundle_of(row: &Recording, index: u32) -> (ObjectPath, Range<u64>) {
    let first = index / SEGMENTS * SEGMENTS;
    let name = format!("{first:08}-{:08}.sealed", first.saturating_add(SEGMENTS - 1));
    let whole = whole_bytes(row);
    let from = u64::from(index - first) * whole;
    (folder_of(&row.tenant, row.id).join(name), from..from + whole)
}

/// The segments that a listing's bundles may hold: those for which a file is long enough, and whether it is for all of
/// each. Some of them may be holes.
pub(super) fn listed(row: &Recording, objects: &[ObjectMeta]) -> BTreeMap<u32, bool> {
    let whole = whole_bytes(row);
    let mut found = BTreeMap::new();
    for object in objects {
        let Some(first) = first_of(&object.location) else { continue };
        let count = u32::try_from(object.size.div_ceil(whole)).unwrap_or(u32::MAX).min(SEGMENTS);
        found.extend((0..count).map(|at| (first + at, object.size >= u64::from(at + 1) * whole)));
    }
    found
}

/// A whole segment, sealed: µ-law of both sides.
fn whole_bytes(row: &Recording) -> u64 {
    u64::from(row.segment_samples.max(1)) * 2 + SEAL_BYTES as u64
}

/// A bundle's first segment, by the bundle's name.
fn first_of(object: &ObjectPath) -> Option<u32> {
    let (first, last) = object.filename()?.strip_suffix(".sealed")?.split_once('-')?;
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    (last.checked_sub(first)? == SEGMENTS - 1).then_some(first)
}

/// A local folder in which segments are bundled.
#[derive(Debug, Clone)]
pub(super) struct Bundles(Arc<LocalFileSystem>);

/// A segment to be put in its place.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) bundle: ObjectPath,
    pub(super) offset: u64,
    pub(super) sealed: Bytes,
}

impl Bundles {
    pub(super) const fn new(folder: Arc<LocalFileSystem>) -> Self {
        Self(folder)
    }

    /// Puts each in its place, and says of each what came of it. What can't be done leaves no others behind, and may be
    /// done again.
    pub(super) async fn put(&self, pieces: Vec<Piece>) -> Vec<object_store::Result<()>> {
        let (folder, count) = (Arc::clone(&self.0), pieces.len());
        let putting = move || pieces.iter().map(|piece| put(&folder, piece)).collect();
        match tokio::task::spawn_blocking(putting).await {
            Ok(outcomes) => outcomes,
            Err(_) => (0..count).map(|_| Err(failed("its thread ended"))).collect(),
        }
    }
}

fn put(folder: &LocalFileSystem, piece: &Piece) -> object_store::Result<()> {
    let path = folder.path_to_filesystem(&piece.bundle)?;
    let open = || OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| open())
        }
        opened => opened,
    };
    file.and_then(|file| file.write_all_at(&piece.sealed, piece.offset)).map_err(failed)
}

fn failed(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "bundle", source: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::recordings::tests::{barbers, call, recording};

    fn row() -> Recording {
        Recording {
            id: recording(1),
            tenant: barbers(),
            call: call(1),
            started_at: jiff::Timestamp::UNIX_EPOCH,
            sealed_key: Vec::new(),
            rate_hz: 8_000,
            segment_samples: 100,
            finished: None,
            merged: None,
        }
    }

    fn object(name: &str, size: u64) -> ObjectMeta {
        let location = folder_of(&barbers(), recording(1)).join(name);
        ObjectMeta { location, last_modified: Default::default(), size, e_tag: None, version: None }
    }

    #[test]
    fn a_segment_has_its_place() {
        let place = |index| {
            let (bundle, range) = bundle_of(&row(), index);
            (bundle.filename().unwrap_or_default().to_owned(), range)
        };
        assert_eq!(place(0), ("00000000-00000031.sealed".to_owned(), 0..216));
        assert_eq!(place(31), ("00000000-00000031.sealed".to_owned(), 31 * 216..32 * 216));
        assert_eq!(place(33), ("00000032-00000063.sealed".to_owned(), 216..432));
        assert_eq!(place(u32::MAX).1, 31 * 216..32 * 216);
    }

    #[test]
    fn a_listing_tells_how_far_each_bundle_goes() {
        let objects = [
            object("00000000-00000031.sealed", 2 * 216),
            object("00000032-00000063.sealed", 216 + 16),
            object("00000064.sealed", 216),
            object("00000000-00000007.sealed", 216),
            object("x-y.sealed", 216),
            object("0123.ogg.sealed", 9_999),
            object("00000096-00000127.sealed", 0),
        ];
        let found: Vec<_> = listed(&row(), &objects).into_iter().collect();
        assert_eq!(found, [(0, true), (1, true), (32, true), (33, false)]);
    }
}
