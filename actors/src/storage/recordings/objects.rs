//! A recording's objects, wherever they lie: in the store that the URL names, or in the spool on their way there.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use metrics::histogram;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::time::Instant;

use super::bundles::{Bundles, Piece, bundle_of};
use super::object_of;
use super::spool::Spool;
use crate::storage::Recording;
use crate::storage::metrics::OBJECT_SECONDS;

type Result<T> = object_store::Result<T>;

/// Asks a store, and notes how long that took and what came of it.
pub(super) async fn asked<T>(
    operation: &'static str,
    asking: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let began = Instant::now();
    let answer = asking.await;
    let outcome = match &answer {
        Ok(_) => "done",
        Err(object_store::Error::NotFound { .. }) => "missing",
        Err(_) => "failed",
    };
    histogram!(OBJECT_SECONDS, "operation" => operation, "outcome" => outcome)
        .record(began.elapsed().as_secs_f64());
    answer
}

/// All objects.
#[derive(Clone)]
pub(super) struct Objects {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) spool: Option<Arc<Spool>>,
    /// Where segments share files.
    pub(super) bundles: Option<Bundles>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Objects").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Objects {
    /// Keeps sealed segments of recordings, and says of each what came of it.
    pub(super) async fn keep(&self, segments: Vec<(&Recording, u32, Bytes)>) -> Vec<Result<()>> {
        let Some(bundles) = &self.bundles else {
            let mut outcomes = Vec::with_capacity(segments.len());
            for (row, index, sealed) in segments {
                let object = object_of(&row.tenant, row.id, index);
                outcomes.push(self.put(&object, PutPayload::from_bytes(sealed)).await);
            }
            return outcomes;
        };
        let piece = |(row, index, sealed): (&Recording, u32, Bytes)| {
            let (bundle, range) = bundle_of(row, index);
            Piece { bundle, offset: range.start, sealed }
        };
        let began = Instant::now();
        let outcomes = bundles.put(segments.into_iter().map(piece).collect()).await;
        let outcome = if outcomes.iter().all(Result::is_ok) { "done" } else { "failed" };
        histogram!(OBJECT_SECONDS, "operation" => "bundle", "outcome" => outcome)
            .record(began.elapsed().as_secs_f64());
        outcomes
    }

    /// Reads a recording's segment, sealed, wherever it lies; none where it lies nowhere.
    pub(super) async fn segment(&self, row: &Recording, index: u32) -> Result<Option<Vec<u8>>> {
        if self.bundles.is_some() {
            let bundled = self.bundled(row, index).await?;
            return if bundled.is_some() { Ok(bundled) } else { self.single(row, index).await };
        }
        let single = self.single(row, index).await?;
        if single.is_some() { Ok(single) } else { self.bundled(row, index).await }
    }

    async fn single(&self, row: &Recording, index: u32) -> Result<Option<Vec<u8>>> {
        match self.get(&object_of(&row.tenant, row.id, index)).await {
            Ok(sealed) => Ok(Some(sealed)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn bundled(&self, row: &Recording, index: u32) -> Result<Option<Vec<u8>>> {
        let (bundle, range) = bundle_of(row, index);
        let error = match self.range(&bundle, range.clone()).await {
            // A hole: what is sealed is not all zeros.
            Ok(sealed) => return Ok(Some(sealed).filter(|sealed| sealed.iter().any(|byte| *byte != 0))),
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => error,
        };
        // One that is too short has no such bytes: not a failure of the store.
        match self.length(&bundle).await {
            Ok(there) if there <= range.start => Ok(None),
            _ => Err(error),
        }
    }

    /// Keeps an object: in the spool, where there is one.
    pub(super) async fn put(&self, object: &ObjectPath, sealed: PutPayload) -> Result<()> {
        match &self.spool {
            Some(spool) => spool.put(object, sealed).await,
            None => asked("put", self.store.put(object, sealed)).await.map(drop),
        }
    }

    /// Begins a large object. It goes to the store itself.
    pub(super) async fn begin(&self, object: &ObjectPath) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart(object).await
    }

    /// Reads an object. The spool is asked first: what left it is in the store.
    pub(super) async fn get(&self, object: &ObjectPath) -> Result<Vec<u8>> {
        if let Some(spool) = &self.spool {
            match spool.store.get(object).await {
                Err(object_store::Error::NotFound { .. }) => {}
                found => return Ok(found?.bytes().await?.to_vec()),
            }
        }
        asked("get", async { Ok(self.store.get(object).await?.bytes().await?.to_vec()) }).await
    }

    /// Reads a part of a large object.
    pub(super) async fn range(&self, object: &ObjectPath, range: Range<u64>) -> Result<Vec<u8>> {
        asked("range", self.store.get_range(object, range)).await.map(|bytes| bytes.to_vec())
    }

    /// How long a large object is, in bytes.
    pub(super) async fn length(&self, object: &ObjectPath) -> Result<u64> {
        asked("head", self.store.head(object)).await.map(|found| found.size)
    }

    /// The objects in a folder.
    pub(super) async fn list(&self, folder: &ObjectPath) -> Result<Vec<ObjectMeta>> {
        let mut found = Vec::new();
        for store in self.spool.iter().map(|spool| &spool.store).chain([&self.store]) {
            let listed = asked("list", store.list_with_delimiter(Some(folder))).await?;
            found.extend(listed.objects);
        }
        found.sort_by(|one, other| one.location.cmp(&other.location));
        found.dedup_by(|one, other| one.location == other.location);
        Ok(found)
    }

    /// Removes a folder's objects, but for the one of this name. What is gone already is no error.
    pub(super) async fn clear(&self, folder: &ObjectPath, but_for: Option<&str>) -> Result<()> {
        // Nothing of the folder is on its way from the one to the other meanwhile.
        let _still = match &self.spool {
            Some(spool) => Some(spool.moving.write().await),
            None => None,
        };
        for object in self.list(folder).await? {
            if object.location.filename() != but_for {
                self.remove(&object.location).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn remove(&self, object: &ObjectPath) -> Result<()> {
        if let Some(spool) = &self.spool {
            spool.remove(object).await?;
        }
        match asked("delete", self.store.delete(object)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The folders under a place, such as the recordings of a business.
    pub(super) async fn folders(
        store: &dyn ObjectStore,
        under: Option<&ObjectPath>,
    ) -> Result<Vec<ObjectPath>> {
        Ok(store.list_with_delimiter(under).await?.common_prefixes)
    }

    /// Whether nothing lies under this place.
    pub(super) async fn is_empty(&self, under: &ObjectPath) -> Result<bool> {
        for store in self.spool.iter().map(|spool| &spool.store).chain([&self.store]) {
            if store.list(Some(under)).try_next().await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
