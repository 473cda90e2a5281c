//! All objects of the recordings, as they lie: sealed, for backups.

use futures_util::stream::{BoxStream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{Error, Recordings, Result, make_private};

impl Recordings {
    /// The names of all objects.
    #[must_use]
    pub fn objects(&self) -> BoxStream<'static, Result<String>> {
        let listed = self.objects.store.list(None);
        // What leaves the spool meanwhile is named twice, which does no harm.
        let listed = match &self.objects.spool {
            Some(spool) => spool.store.list(None).chain(listed).boxed(),
            None => listed,
        };
        listed.map(|object| Ok(object?.location.to_string())).boxed()
    }

    /// An object as it lies; none where it was removed.
    ///
    /// # Errors
    /// [`Error::Objects`].
    pub async fn object(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = place(name)?;
        match self.objects.get(&path).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts an object in its place.
    ///
    /// # Errors
    /// [`Error::Objects`].
    pub async fn put_object(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        self.objects.put(&place(name)?, PutPayload::from(bytes)).await?;
        Ok(())
    }
}

/// A name as a place among the objects, and nowhere else.
fn place(name: &str) -> Result<Path> {
    Path::parse(name).map_err(|error| Error::Objects { why: error.to_string() })
}

/// A local folder of recordings, without the keys that open them: for restoring.
#[derive(Debug)]
pub struct ObjectFolder(LocalFileSystem);

impl ObjectFolder {
    /// The objects in this folder, which is made where it is not there; only its owner can enter it.
    ///
    /// # Errors
    /// [`Error::Folder`].
    pub fn open(folder: &std::path::Path) -> Result<Self> {
        let failed = |why: String| Error::Folder { path: folder.to_owned(), why };
        make_private(folder).map_err(|error| failed(error.to_string()))?;
        LocalFileSystem::new_with_prefix(folder).map(Self).map_err(|error| failed(error.to_string()))
    }

    /// Puts an object in its place.
    ///
    /// # Errors
    /// [`Error::Objects`].
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        self.0.put(&place(name)?, PutPayload::from(bytes)).await?;
        Ok(())
    }
}
