//! A backup's items, with rows that fit each other.

use std::path::Path;

use super::Result;
use super::item::{Head, Item};
use super::key::KeySource;
use super::mend::{Mended, Mending};
use super::read::Reader;
use crate::storage::StoredRow;

/// A backup's items, one after the other; where its rows are not of one moment, they are mended on the way. Blocks;
/// not for an async worker thread.
#[derive(Debug)]
pub struct Whole {
    reader: Reader,
    mending: Option<Mending>,
    added: Option<std::vec::IntoIter<Vec<StoredRow>>>,
}

impl Whole {
    /// Opens a backup, and reads it once where it has to be mended.
    ///
    /// # Errors
    /// [`super::Error`]: it is none, is newer, or the key is another.
    pub fn open(path: &Path, key: &KeySource) -> Result<Self> {
        let mending = Mending::of(path, key)?;
        Ok(Self { reader: Reader::open(path, key)?, mending, added: None })
    }

    /// What it begins with.
    #[must_use]
    pub const fn head(&self) -> &Head {
        self.reader.head()
    }

    /// The next item; none after the last.
    ///
    /// # Errors
    /// [`super::Error`]: it is cut off, was changed, or lacks something.
    pub fn next_item(&mut self) -> Result<Option<Item>> {
        if let Some(item) = self.reader.next_item()? {
            return Ok(Some(match (item, &mut self.mending) {
                (Item::Rows(rows), Some(mending)) => Item::Rows(mending.mend(rows)),
                (item, _) => item,
            }));
        }
        let Some(mending) = &mut self.mending else { return Ok(None) };
        let added = self.added.get_or_insert_with(|| mending.added().into_iter());
        Ok(added.next().map(Item::Rows))
    }

    /// What was mended so far.
    #[must_use]
    pub fn mended(&self) -> Mended {
        self.mending.as_ref().map(|mending| mending.mended().clone()).unwrap_or_default()
    }
}
