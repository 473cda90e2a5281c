//! One store into another, row by row: to be stopped at any time and begun again.

mod live;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backup::{self, Sum, Tally};
use super::{Cursor, Page, Part, ROWS_VERSION, Storage};

pub use live::{Copied, Spool, copy_live};

/// How far a copy is. Kept by whoever makes it, so that another process goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The version of the rows' shape.
    pub rows_version: u16,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// Of each part that was begun, where it goes on; none where it is done.
    pub parts: BTreeMap<Part, Option<Cursor>>,
    /// Of a store that others write: how many pages of what was read of it are written. None where it is not read to
    /// its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spooled: Option<u64>,
}

impl Progress {
    /// Nothing is copied yet.
    #[must_use]
    pub fn none(from: String, to: String) -> Self {
        Self { rows_version: ROWS_VERSION, from, to, parts: BTreeMap::new(), spooled: None }
    }
}

/// Copies what `progress` lacks of a store that nobody writes meanwhile, and gives it to `keep` after each step, when what it says is durable. A row that
/// is there as it is stays; where another one is there the copy stops.
///
/// # Errors
/// Those of the stores, and of `keep`.
pub async fn copy(
    from: &dyn Storage,
    to: &dyn Storage,
    page_rows: usize,
    progress: &mut Progress,
    mut keep: impl FnMut(&Progress) -> backup::Result<()>,
) -> backup::Result<u64> {
    let mut copied = 0;
    for part in Part::ALL {
        let mut after = match progress.parts.get(&part) {
            Some(None) => continue,
            Some(Some(cursor)) => Some(cursor.clone()),
            None => None,
        };
        loop {
            let listing = from.export(part, Page { after, limit: page_rows.max(1) }).await?;
            to.import(&listing.rows).await?;
            copied += listing.rows.len() as u64;
            after = listing.next.clone();
            progress.parts.insert(part, listing.next);
            keep(progress)?;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(copied)
}

/// Each part's sums in both stores: they are the same where the copy is true.
///
/// # Errors
/// Those of the stores.
pub async fn compare(from: &dyn Storage, to: &dyn Storage) -> backup::Result<Vec<(Part, Sum, Sum)>> {
    compare_with(&sums(from).await?, to).await
}

/// The same with the rows that a store must have.
///
/// # Errors
/// Those of the store.
pub async fn compare_with(rows: &Tally, to: &dyn Storage) -> backup::Result<Vec<(Part, Sum, Sum)>> {
    let to = sums(to).await?;
    Ok(Part::ALL.into_iter().map(|part| (part, rows.of(part), to.of(part))).collect())
}

async fn sums(store: &dyn Storage) -> backup::Result<Tally> {
    let mut tally = Tally::default();
    for part in Part::ALL {
        let mut page = Page::first(500);
        loop {
            let listing = store.export(part, page).await?;
            tally.add(&listing.rows)?;
            let Some(next) = listing.next else { break };
            page = Page { after: Some(next), limit: 500 };
        }
    }
    Ok(tally)
}
