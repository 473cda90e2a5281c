//! Whether two stores hold the same rows, whatever order they give them in.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::storage::{Part, StoredRow};

/// How many rows, and the sum of their SHA-256 digests: the same for the same rows in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// The digests, as numbers of 64 bits, added up each in its place.
    pub digests: [u64; 4],
}

impl Sum {
    fn add(&mut self, row: &StoredRow) -> Result<()> {
        let bytes = serde_json::to_vec(row).map_err(|error| Error::Stopped { why: error.to_string() })?;
        let hash = digest(&SHA256, &bytes);
        for (sum, bytes) in self.digests.iter_mut().zip(hash.as_ref().chunks(8)) {
            *sum = sum.wrapping_add(bytes.try_into().map_or(0, u64::from_le_bytes));
        }
        self.rows += 1;
        Ok(())
    }
}

/// The sums of all parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally(BTreeMap<Part, Sum>);

impl Tally {
    /// Adds rows.
    ///
    /// # Errors
    /// A row that can't be written down.
    pub fn add(&mut self, rows: &[StoredRow]) -> Result<()> {
        rows.iter().try_for_each(|row| self.0.entry(row.part()).or_default().add(row))
    }

    /// The sum of one part.
    #[must_use]
    pub fn of(&self, part: Part) -> Sum {
        self.0.get(&part).copied().unwrap_or_default()
    }

    /// How many rows each part has.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Part, u64> {
        Part::ALL.into_iter().map(|part| (part, self.of(part).rows)).collect()
    }

    pub(super) fn into_sums(self) -> BTreeMap<Part, Sum> {
        self.0
    }
}
