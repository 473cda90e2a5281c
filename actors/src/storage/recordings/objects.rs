//! A recording's objects, wherever they lie: in the store that the URL names, or in the spool on their way there.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use futures_util::TryStreamExt;
use metrics::histogram;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::time::Instant;

use super::spool::Spool;
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
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Objects").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Objects {
    /// Keeps a segment: in the spool, where there is one.
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
    pub(super) async fn list(&self, folder: &ObjectPath) -> Result<Vec<ObjectPath>> {
        let mut found = Vec::new();
        for store in self.spool.iter().map(|spool| &spool.store).chain([&self.store]) {
            let listed = asked("list", store.list_with_delimiter(Some(folder))).await?;
            found.extend(listed.objects.into_iter().map(|object| object.location));
        }
        found.sort();
        found.dedup();
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
            if object.filename() != but_for {
                self.remove(&object).await?;
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
