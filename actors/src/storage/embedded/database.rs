//! The file: opened with patience, opened again after it failed, closed once.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use redb::{Builder, DatabaseError, ReadableDatabase, StorageError, TableDefinition};
use tokio::time::Instant;

use super::Settings;
use crate::storage::ordered::Table;
use crate::storage::{Error, Result};

/// How long opening waits between two tries.
const OPEN_AGAIN: Duration = Duration::from_millis(50);

/// How every table is kept: bytes to bytes, their meaning not redb's.
pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// The definition of a table.
pub(super) const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

/// The open file, or why there is none.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    settings: Settings,
    state: RwLock<State>,
    /// How often it was opened again, or closed.
    openings: AtomicU64,
}

#[derive(Debug)]
enum State {
    Open(redb::Database),
    Failed { since: Instant },
    Closed,
}

impl Database {
    pub(super) fn open(path: &Path, settings: &Settings) -> Result<Self> {
        create_private(path)?;
        let patience = Instant::now() + Duration::from_millis(settings.open_wait_ms);
        let database = loop {
            match open_file(path, settings) {
                Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < patience => {
                    std::thread::sleep(OPEN_AGAIN);
                }
                Err(error) => return Err(opening(path, &error)),
                Ok(database) => break database,
            }
        };
        Ok(Self {
            path: path.to_owned(),
            settings: settings.clone(),
            state: RwLock::new(State::Open(database)),
            openings: AtomicU64::new(0),
        })
    }

    /// Runs `act` on the open file.
    pub(super) fn with<T>(&self, act: impl FnOnce(&redb::Database) -> Result<T>) -> Result<T> {
        match &*self.state.read() {
            State::Open(database) => act(database),
            State::Failed { .. } => Err(Error::Unavailable {
                why: "writing to its file failed; it is opened again when there is space".to_owned(),
            }),
            State::Closed => Err(Error::Unavailable { why: "it is closed".to_owned() }),
        }
    }

    /// Closes a file that failed: redb refuses all further work on it. Then opens it again, and where that fails
    /// leaves it for [`Self::heal`].
    pub(super) fn reopen(&self) {
        self.openings.fetch_add(1, Ordering::AcqRel);
        let mut state = self.state.write();
        if matches!(*state, State::Closed) {
            return;
        }
        // The old one must have let go of the file before it can be opened.
        *state = State::Failed { since: Instant::now() };
        match open_file(&self.path, &self.settings) {
            Ok(database) => *state = State::Open(database),
            Err(error) => tracing::error!(%error, "the store's file could not be opened again"),
        }
    }

    /// Tries to open a file that failed a while ago.
    pub(super) fn heal(&self) {
        let wait = Duration::from_millis(self.settings.reopen_ms);
        let due = matches!(&*self.state.read(), State::Failed { since } if since.elapsed() >= wait);
        if due {
            self.reopen();
        }
    }

    /// Which opening of the file this is.
    pub(super) fn opening(&self) -> u64 {
        self.openings.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.openings.fetch_add(1, Ordering::AcqRel);
        let state = std::mem::replace(&mut *self.state.write(), State::Closed);
        if let State::Open(database) = state
            && let Err(error) = database.close()
        {
            tracing::warn!(%error, "the store's file was not closed cleanly; it is repaired when it is opened");
        }
    }
}

/// Makes the file, if it is not there, so that only its owner reads it.
fn create_private(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::Unavailable {
        why: format!("{} can't be made ({error}); check the folder and its owner", path.display()),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => match path.parent() {
            // The folder must know of its new file after a power cut, too.
            Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn open_file(path: &Path, settings: &Settings) -> std::result::Result<redb::Database, DatabaseError> {
    let database = Builder::new().set_cache_size(settings.cache_bytes).create(path)?;
    if make_tables(&database).is_err() {
        return Err(DatabaseError::Storage(StorageError::PreviousIo));
    }
    Ok(database)
}

/// Makes the tables that a file lacks, so that reads find all of them.
fn make_tables(database: &redb::Database) -> std::result::Result<(), redb::Error> {
    let snapshot = database.begin_read()?;
    if Table::ALL.into_iter().all(|table| snapshot.open_table(definition(table)).is_ok()) {
        return Ok(());
    }
    drop(snapshot);
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        transaction.open_table(definition(table))?;
    }
    Ok(transaction.commit()?)
}

fn opening(path: &Path, error: &DatabaseError) -> Error {
    let path = path.display();
    match error {
        DatabaseError::DatabaseAlreadyOpen => Error::Unavailable {
            why: format!("{path} is in use by another process; stop that node or use another data folder"),
        },
        DatabaseError::Storage(StorageError::Corrupted(why)) => {
            Error::Corrupt { what: "the store's file", why: format!("{path}: {why}") }
        }
        DatabaseError::UpgradeRequired(version) => Error::Corrupt {
            what: "the store's file",
            why: format!("{path} has the format {version} of an older program"),
        },
        error => Error::Unavailable { why: format!("{path} can't be opened: {error}") },
    }
}
