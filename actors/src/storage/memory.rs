//! A store in memory, for tests and for trying things out. Nothing outlives the process.

use std::collections::BTreeMap;
use std::future::{Future, ready};

use parking_lot::RwLock;

use super::Result;
use super::ordered::{Direction, Ordered, Read, Row, Table, Write};

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// A store in memory. Not durable.
#[derive(Debug, Default)]
pub struct Memory {
    rows: RwLock<Rows>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Read for Rows {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&(table, key.to_vec())).cloned())
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
        let range = self.range((table, from.to_vec())..(table, until.to_vec()));
        let row = |((_, key), value): (&(Table, Vec<u8>), &Vec<u8>)| (key.clone(), value.clone());
        Ok(match direction {
            Direction::Forwards => range.take(limit).map(row).collect(),
            Direction::Backwards => range.rev().take(limit).map(row).collect(),
        })
    }
}

impl Write for Rows {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.insert((table, key.to_vec()), value.to_vec());
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<()> {
        Rows::remove(self, &(table, key.to_vec()));
        Ok(())
    }
}

impl Ordered for Memory {
    fn read<T>(&self, read: impl FnOnce(&dyn Read) -> Result<T>) -> Result<T> {
        read(&*self.rows.read())
    }

    fn hold(&self) -> Result<Option<Box<dyn Read + Send + Sync>>> {
        Ok(Some(Box::new(self.rows.read().clone())))
    }

    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> + Send {
        ready(write(&mut *self.rows.write()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::storage::conformance::{Store, conformance, portable};
    use crate::storage::{Part, Storage};

    fn store() -> (Store, ()) {
        (Arc::new(Memory::new()), ())
    }

    conformance!(store());

    /// Whatever a store loses or holds wrongly is found, and told without showing it.
    #[tokio::test]
    async fn an_examination_finds_what_is_wrong_and_shows_nothing() {
        let sound = Memory::new();
        portable::fill(&sound).await;
        let examine =
            |store: &Memory| store.freeze().expect("held").expect("can be").examine().expect("read");
        let found = examine(&sound);
        assert_eq!((found.faults_total, found.rows.get("calls")), (0, Some(&5)));
        // Without these rows, no other row tells of them.
        let alone = [
            Table::Events,
            Table::Written,
            Table::Outcomes,
            Table::Checkpoints,
            Table::Removals,
            Table::Audit,
            Table::Keys,
            Table::MessagesByKey,
        ];
        let all: Vec<(Table, Vec<u8>)> = sound.rows.read().keys().cloned().collect();
        for row in all {
            let broken = Memory { rows: RwLock::new(sound.rows.read().clone()) };
            broken.rows.write().remove(&row);
            assert_eq!(
                examine(&broken).faults_total > 0,
                !alone.contains(&row.0),
                "without {}",
                row.0.name()
            );
            // States and keys are bytes of their writers; an entry without a value has none to be wrong.
            let valueless = matches!(
                row.0,
                Table::BookingsByStart | Table::RecordingsByTenant | Table::RecordingsToMerge
            );
            if valueless || matches!(row.0, Table::Checkpoints | Table::Keys) {
                continue;
            }
            broken.rows.write().insert(row.clone(), b"\x01{\"secret\":".to_vec());
            let found = examine(&broken);
            let fault = found.faults.iter().find(|fault| fault.table == row.0.name());
            let fault = fault.unwrap_or_else(|| panic!("garbage in {} is found", row.0.name()));
            assert!(!format!("{fault:?}").contains("secret"), "{fault:?}");
        }
    }

    /// Every table but the probe and the owners has rows in the sample, and every one is the same in a store that was made of
    /// what was exported: a table that is added and forgotten by [`Storage::export`] fails here.
    #[tokio::test]
    async fn no_table_is_forgotten_by_an_export() {
        let (source, copy) = (Memory::new(), Memory::new());
        portable::fill(&source).await;
        for part in Part::ALL {
            copy.import(&portable::rows_of(&source, part, 5).await).await.expect("imported");
        }
        // Who owns what is of a store's own nodes, and is not exported.
        for table in Table::ALL.into_iter().filter(|table| !matches!(table, Table::Probe | Table::Owners)) {
            let rows = |store: &Memory| {
                let rows = store.rows.read();
                rows.iter()
                    .filter(|((of, _), _)| *of == table)
                    .map(|row| (row.0.1.clone(), row.1.clone()))
                    .collect::<Vec<_>>()
            };
            assert!(!rows(&source).is_empty(), "the sample has nothing in {}", table.name());
            assert_eq!(rows(&copy), rows(&source), "{}", table.name());
        }
    }
}
