//! One moment's rows, held while others write.

use super::{Read, examine, portable};
use crate::storage::{Examination, Listing, Page, Part, Result, StoredRow};

/// The rows of one moment. To be let go of soon: what is changed meanwhile takes room twice.
pub struct Frozen(Box<dyn Read + Send + Sync>);

impl std::fmt::Debug for Frozen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Frozen")
    }
}

impl Frozen {
    pub(super) fn of(rows: Box<dyn Read + Send + Sync>) -> Self {
        Self(rows)
    }

    /// As [`crate::storage::Storage::export`].
    ///
    /// # Errors
    /// Those of the store.
    pub fn export(&self, part: Part, page: &Page) -> Result<Listing<StoredRow>> {
        portable::export(&*self.0, part, page)
    }

    /// Reads every row of every table, and looks whether what belongs together is there. Blocks for as long as
    /// that takes.
    ///
    /// # Errors
    /// Those of the store; a row that can't be read is none.
    pub fn examine(&self) -> Result<Examination> {
        examine::examine(&*self.0)
    }
}
