//! Rows of a calendar that have been fetched, and changes on top of them. The same code decides here as in a
//! store of one file; what it wants to read and is not there yet is noted, fetched, and then it decides anew.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use crate::storage::ordered::{Direction, Read, Row, Table, Write};
use crate::storage::{Error, Result};

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Want {
    /// The value under a key.
    Value(Table, Vec<u8>),
    /// A range.
    Range { table: Table, from: Vec<u8>, until: Vec<u8>, backwards: bool, limit: usize },
}

/// What was read.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Value(Option<Vec<u8>>),
    Range(Vec<Row>),
}

/// Fetched rows with changes on top.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    found: HashMap<Want, Found>,
    changes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    missing: Mutex<Option<Want>>,
}

impl Overlay {
    /// What was wanted and not there, if anything: fetch it and decide anew. Forgets the changes so far.
    pub(super) fn take_missing(&mut self) -> Option<Want> {
        let missing = self.missing.lock().take();
        if missing.is_some() {
            self.changes.clear();
        }
        missing
    }

    pub(super) fn fetched(&mut self, want: Want, found: Found) {
        self.found.insert(want, found);
    }

    pub(super) fn into_changes(self) -> BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>> {
        self.changes
    }

    fn find(&self, want: Want) -> Result<&Found> {
        self.found.get(&want).ok_or_else(|| {
            self.missing.lock().get_or_insert(want);
            Error::Unavailable { why: "it has not been fetched yet".to_owned() }
        })
    }

    fn changed_within(&self, table: Table, from: &[u8], until: &[u8]) -> bool {
        from < until && self.changes.range((table, from.to_vec())..(table, until.to_vec())).next().is_some()
    }
}

fn inconsistent() -> Error {
    Error::Corrupt { what: "calendar", why: "it was read in another way than it was fetched".to_owned() }
}

impl Read for Overlay {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        if let Some(changed) = self.changes.get(&(table, key.to_vec())) {
            return Ok(changed.clone());
        }
        match self.find(Want::Value(table, key.to_vec()))? {
            Found::Value(value) => Ok(value.clone()),
            Found::Range(_) => Err(inconsistent()),
        }
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>> {
        if from >= until {
            return Ok(Vec::new());
        }
        // Whoever changes rows has read first; a range of changed rows would have to be merged.
        if self.changed_within(table, from, until) {
            return Err(inconsistent());
        }
        let backwards = direction == Direction::Backwards;
        let want = Want::Range { table, from: from.to_vec(), until: until.to_vec(), backwards, limit };
        match self.find(want)? {
            Found::Range(rows) => Ok(rows.clone()),
            Found::Value(_) => Err(inconsistent()),
        }
    }
}

impl Write for Overlay {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.changes.insert((table, key.to_vec()), Some(value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<()> {
        self.changes.insert((table, key.to_vec()), None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_noted_and_never_taken_for_absent() {
        let mut overlay = Overlay::default();
        overlay.put(Table::Bookings, b"x", b"1").expect("put");
        assert!(overlay.get(Table::Written, b"k").is_err());
        assert!(overlay.get(Table::Written, b"other").is_err());
        let first = overlay.take_missing();
        assert_eq!(first, Some(Want::Value(Table::Written, b"k".to_vec())));
        assert!(overlay.get(Table::Bookings, b"x").is_err(), "the changes so far are forgotten");
        overlay.fetched(Want::Value(Table::Written, b"k".to_vec()), Found::Value(None));
        assert_eq!(overlay.get(Table::Written, b"k"), Ok(None));
    }

    #[test]
    fn changes_lie_on_top_and_are_not_read_in_ranges() {
        let mut overlay = Overlay::default();
        overlay.fetched(Want::Value(Table::Bookings, b"x".to_vec()), Found::Value(Some(b"0".to_vec())));
        overlay.put(Table::Bookings, b"x", b"1").expect("put");
        assert_eq!(overlay.get(Table::Bookings, b"x"), Ok(Some(b"1".to_vec())));
        overlay.remove(Table::Bookings, b"x").expect("removed");
        assert_eq!(overlay.get(Table::Bookings, b"x"), Ok(None));
        let range = overlay.range(Table::Bookings, b"a", b"z", Direction::Forwards, 9);
        assert!(matches!(range, Err(Error::Corrupt { .. })));
        assert!(overlay.take_missing().is_none());
    }
}
