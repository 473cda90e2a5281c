//! Reading a backup: every byte of it is checked before it is given on.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::item::{Head, Item, Tail};
use super::key::KeySource;
use super::seal::Opening;
use super::tally::Tally;
use super::{Error, Result};
use crate::storage::{Part, ROWS_VERSION};

/// A backup's items, one after the other. Blocks; not for an async worker thread.
pub struct Reader {
    from: Opening<BufReader<File>>,
    head: Head,
    tally: Tally,
    objects: u64,
    is_over: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reader").field("head", &self.head).finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a backup.
    ///
    /// # Errors
    /// [`Error`]: it is none, is newer, or the key is another.
    pub fn open(path: &Path, key: &KeySource) -> Result<Self> {
        let file = File::open(path).map_err(|why| Error::File { path: path.to_owned(), why })?;
        let opening = Opening::begin(BufReader::with_capacity(1 << 20, file), key)?;
        let mut from = opening.ok_or_else(|| Error::NotABackup { path: path.to_owned() })?;
        let Item::Head(head) = Item::read(&mut from)? else {
            return Err(Error::Sums { what: "its head is missing".to_owned() });
        };
        if head.rows_version > ROWS_VERSION {
            return Err(Error::Newer { found: format!("of rows {}", head.rows_version) });
        }
        Ok(Self { from, head, tally: Tally::default(), objects: 0, is_over: false })
    }

    /// What it begins with.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The rows that were read so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The next item; none after the last, when all that was read is what was written.
    ///
    /// # Errors
    /// [`Error`]: it is cut off, was changed, or lacks something.
    pub fn next_item(&mut self) -> Result<Option<Item>> {
        if self.is_over {
            return Ok(None);
        }
        let item = Item::read(&mut self.from)?;
        match &item {
            Item::Rows(rows) => self.tally.add(rows)?,
            Item::Object(_) => self.objects += 1,
            Item::MasterKey(_) => {}
            Item::Head(_) => return Err(Error::Sums { what: "it has two heads".to_owned() }),
            Item::Tail(bytes) => {
                self.compare(bytes)?;
                self.is_over = true;
                return Ok(None);
            }
        }
        Ok(Some(item))
    }

    fn compare(&mut self, tail: &[u8]) -> Result<()> {
        let wrong = |what: String| Error::Sums { what };
        let tail: Tail =
            serde_json::from_slice(tail).map_err(|_| wrong("its end can't be read".to_owned()))?;
        for part in Part::ALL {
            if tail.rows.get(&part).copied().unwrap_or_default() != self.tally.of(part) {
                return Err(wrong(format!("rows of {part}")));
            }
        }
        if tail.objects != self.objects {
            return Err(wrong("recordings".to_owned()));
        }
        if !self.from.is_at_end()? {
            return Err(wrong("something follows its end".to_owned()));
        }
        Ok(())
    }
}
