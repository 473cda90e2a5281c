//! redb's tables as the rows' tables.

use std::cell::RefCell;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};

use super::database::{Database, definition};
use crate::storage::ordered::{Direction, Read, Row, Table, Write};
use crate::storage::{Error, Result};

/// The last commit.
pub(super) struct Snapshot(ReadTransaction);

impl Snapshot {
    pub(super) fn of(database: &redb::Database) -> Result<Self> {
        database.begin_read().map(Self).map_err(|error| failed(&error.into()))
    }
}

impl Read for Snapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let table = self.0.open_table(definition(table)).map_err(|error| failed(&error.into()))?;
        get(&table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let table = self.0.open_table(definition(table)).map_err(|error| failed(&error.into()))?;
        range(&table, from, until, direction, limit)
    }
}

/// A commit that is held while others follow, until its file has to be opened again: who holds it must not stand
/// in the way.
pub(super) struct Held {
    snapshot: Snapshot,
    database: Arc<Database>,
    opening: u64,
}

impl Held {
    pub(super) fn of(database: &Arc<Database>) -> Result<Self> {
        let opening = database.opening();
        let snapshot = database.with(Snapshot::of)?;
        Ok(Self { snapshot, database: Arc::clone(database), opening })
    }

    fn look(&self) -> Result<()> {
        if self.database.opening() == self.opening {
            return Ok(());
        }
        let why = "its file failed and is opened again meanwhile; start anew".to_owned();
        Err(Error::Unavailable { why })
    }
}

impl Read for Held {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.look()?;
        self.snapshot.get(table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>> {
        self.look()?;
        self.snapshot.range(table, from, until, direction, limit)
    }
}

type OpenTable<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

/// The changes of one commit. Once redb has failed, nothing of it may be committed.
pub(super) struct Changes<'t> {
    transaction: &'t WriteTransaction,
    open: RefCell<[Option<OpenTable<'t>>; Table::ALL.len()]>,
    failed: RefCell<Option<Error>>,
}

impl<'t> Changes<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Self {
        Self {
            transaction,
            open: RefCell::new([const { None }; Table::ALL.len()]),
            failed: RefCell::new(None),
        }
    }

    /// What made the changes unfit to be committed, if something did.
    pub(super) fn into_failure(self) -> Option<Error> {
        self.failed.into_inner()
    }

    fn on<T>(&self, table: Table, act: impl FnOnce(&mut OpenTable<'t>) -> Result<T>) -> Result<T> {
        let result = self.on_open(table, act);
        if let Err(error) = &result {
            self.failed.borrow_mut().get_or_insert_with(|| error.clone());
        }
        result
    }

    fn on_open<T>(&self, table: Table, act: impl FnOnce(&mut OpenTable<'t>) -> Result<T>) -> Result<T> {
        let mut open = self.open.borrow_mut();
        let Some(place) = open.get_mut(table as usize) else {
            return Err(Error::Corrupt { what: "table", why: "it has no place".to_owned() });
        };
        let opened = match place.take() {
            Some(opened) => opened,
            None => self.transaction.open_table(definition(table)).map_err(|error| failed(&error.into()))?,
        };
        act(place.insert(opened))
    }
}

impl Read for Changes<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.on(table, |table| get(table, key))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        until: &[u8],
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>> {
        self.on(table, |table| range(table, from, until, direction, limit))
    }
}

impl Write for Changes<'_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.on(table, |table| table.insert(key, value).map(drop).map_err(|error| failed(&error.into())))
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<()> {
        self.on(table, |table| table.remove(key).map(drop).map_err(|error| failed(&error.into())))
    }
}

fn get(table: &impl ReadableTable<&'static [u8], &'static [u8]>, key: &[u8]) -> Result<Option<Vec<u8>>> {
    match table.get(key) {
        Ok(value) => Ok(value.map(|value| value.value().to_vec())),
        Err(error) => Err(failed(&error.into())),
    }
}

fn range(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    from: &[u8],
    until: &[u8],
    direction: Direction,
    limit: usize,
) -> Result<Vec<Row>> {
    if from >= until {
        return Ok(Vec::new());
    }
    let mut found = table.range::<&[u8]>(from..until).map_err(|error| failed(&error.into()))?;
    let mut rows = Vec::new();
    while rows.len() < limit {
        let next = match direction {
            Direction::Forwards => found.next(),
            Direction::Backwards => found.next_back(),
        };
        match next {
            Some(Ok((key, value))) => rows.push((key.value().to_vec(), value.value().to_vec())),
            Some(Err(error)) => return Err(failed(&error.into())),
            None => break,
        }
    }
    Ok(rows)
}

/// What redb says, in the store's words. Nothing is committed where this comes up.
pub(super) fn failed(error: &redb::Error) -> Error {
    match error {
        redb::Error::Corrupted(why) => Error::Corrupt { what: "the store's file", why: why.clone() },
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Error::Unavailable { why: "the disk is full; make space, nothing else is needed".to_owned() }
        }
        redb::Error::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            Error::Unavailable { why: "the file may not grow further (a limit on file sizes)".to_owned() }
        }
        error => Error::Unavailable { why: error.to_string() },
    }
}

/// Of a commit that failed: whether it reached the disk is not known.
pub(super) fn unconfirmed(error: &redb::Error) -> Error {
    Error::Unknown { why: failed(error).to_string() }
}
