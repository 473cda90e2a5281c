//! The journal's file: one thread appends to it, many writes to one sync.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::record::{self, Contents, HEADING};
use crate::storage::{Error, Result};

/// The most bytes that are written before a sync.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// How often opening asks for the file's lock, and the wait between two tries.
const LOCK_TRIES: u32 = 100;
const LOCK_AGAIN: Duration = Duration::from_millis(50);

/// Why something did not reach the disk.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum LogError {
    /// Too much waits for the disk.
    #[error("too many writes wait for the journal's file; the disk may be too slow")]
    Busy,
    /// The disk refused it.
    #[error("the journal's file could not be written: {0}")]
    Disk(String),
    /// It is closed.
    #[error("the journal is closed")]
    Closed,
}

/// Where something that was given to a log is told to be on the disk.
pub type Synced = oneshot::Receiver<std::result::Result<(), LogError>>;

/// What outlives the process: bytes, in the order in which they were given.
pub trait Log: Send + Sync {
    /// Adds bytes after all that was given before. Told when they are safe.
    fn append(&self, bytes: Vec<u8>) -> Synced;
    /// Puts bytes in the place of all that was given before.
    fn replace(&self, bytes: Vec<u8>) -> Synced;
    /// How many bytes it holds.
    fn bytes(&self) -> u64;
    /// A sync failed: what was given may be lost, and all of it must be given again by [`Self::replace`].
    fn is_suspect(&self) -> bool;
    /// Makes what was given safe and lets go of it. Blocks.
    fn close(&self);
}

enum Job {
    Append(Vec<u8>, oneshot::Sender<std::result::Result<(), LogError>>),
    Replace(Vec<u8>, oneshot::Sender<std::result::Result<(), LogError>>),
}

#[derive(Debug, Default)]
struct State {
    bytes: AtomicU64,
    is_suspect: AtomicBool,
}

/// A log in a file that only its owner reads.
#[derive(Debug)]
pub struct File {
    state: Arc<State>,
    running: Mutex<Option<(SyncSender<Job>, JoinHandle<()>)>>,
}

impl File {
    /// Opens the file, or makes it, and reads what it holds. What a process that died was writing is cut off. May
    /// block; not for an async worker thread.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the file can't be used, [`Error::Corrupt`] where it is no journal.
    pub(super) fn open(path: &Path, queue_max: usize) -> Result<(Self, Contents)> {
        let failed = |error: io::Error| Error::Unavailable {
            why: format!("the journal {} can't be used: {error}", path.display()),
        };
        let mut file = open_private(path).map_err(failed)?;
        lock(&file, path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let contents = match bytes.strip_prefix(HEADING) {
            Some(rest) => record::read(rest),
            // It was being made when its process died.
            None if HEADING.starts_with(&bytes) => Contents { sound: 0, ..Contents::default() },
            None => {
                let why = format!(
                    "{} is not one of this program's version; move it away to start without it",
                    path.display()
                );
                return Err(Error::Corrupt { what: "the journal", why });
            }
        };
        let cut = bytes.len() - contents.sound;
        if cut > 0 || contents.damaged > 0 {
            tracing::warn!(cut, damaged = contents.damaged, "the journal's torn end was cut off");
        }
        file.set_len(contents.sound as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        if contents.sound == 0 {
            file.write_all(HEADING).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        sync_folder(path).map_err(failed)?;
        let length = contents.sound.max(HEADING.len()) as u64;
        let state = Arc::new(State { bytes: AtomicU64::new(length), ..State::default() });
        let writer = Writer { path: path.to_owned(), file, length, state: Arc::clone(&state) };
        let (queue, jobs) = sync_channel(queue_max.max(1));
        let thread = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(failed)?;
        Ok((Self { state, running: Mutex::new(Some((queue, thread))) }, contents))
    }

    fn give(&self, job: impl FnOnce(oneshot::Sender<std::result::Result<(), LogError>>) -> Job) -> Synced {
        let (tell, told) = oneshot::channel();
        let refused = match self.running.lock().as_ref() {
            Some((queue, _)) => match queue.try_send(job(tell)) {
                Ok(()) => None,
                Err(TrySendError::Full(job)) => Some((job, LogError::Busy)),
                Err(TrySendError::Disconnected(job)) => Some((job, LogError::Closed)),
            },
            None => Some((job(tell), LogError::Closed)),
        };
        if let Some((Job::Append(_, tell) | Job::Replace(_, tell), why)) = refused {
            let _ = tell.send(Err(why));
        }
        told
    }
}

impl Log for File {
    fn append(&self, bytes: Vec<u8>) -> Synced {
        self.give(|tell| Job::Append(bytes, tell))
    }

    fn replace(&self, bytes: Vec<u8>) -> Synced {
        self.give(|tell| Job::Replace(bytes, tell))
    }

    fn bytes(&self) -> u64 {
        self.state.bytes.load(Ordering::Relaxed)
    }

    fn is_suspect(&self) -> bool {
        self.state.is_suspect.load(Ordering::Relaxed)
    }

    fn close(&self) {
        let running = self.running.lock().take();
        if let Some((queue, thread)) = running {
            drop(queue);
            // One that panicked has nothing more to do.
            let _ = thread.join();
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.close();
    }
}

/// Waits for another process to let go of the file: one that was killed may still be in its last sync. Two that
/// write the same journal would tear each other's records.
fn lock(file: &std::fs::File, path: &Path) -> Result<()> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(_) => std::thread::sleep(LOCK_AGAIN),
        }
    }
    let why = format!("the journal {} is in use by another process; stop that node", path.display());
    Err(Error::Unavailable { why })
}

fn open_private(path: &Path) -> io::Result<std::fs::File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The folder must know of a new file after a power cut, too.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// The thread that writes.
struct Writer {
    path: PathBuf,
    file: std::fs::File,
    /// What of the file is safe.
    length: u64,
    state: Arc<State>,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut next = jobs.recv().ok();
        while let Some(job) = next.take() {
            match job {
                Job::Append(bytes, tell) => {
                    let (mut batch, mut waiting) = (bytes, vec![tell]);
                    while batch.len() < BATCH_BYTES_MAX {
                        match jobs.try_recv() {
                            Ok(Job::Append(bytes, tell)) => {
                                batch.extend(bytes);
                                waiting.push(tell);
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    let outcome = self.append(&batch);
                    for tell in waiting {
                        let _ = tell.send(outcome.clone());
                    }
                }
                Job::Replace(bytes, tell) => {
                    let _ = tell.send(self.replace(&bytes));
                }
            }
            if next.is_none() {
                next = jobs.recv().ok();
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> std::result::Result<(), LogError> {
        if self.state.is_suspect.load(Ordering::Relaxed) {
            return Err(LogError::Disk("its last sync failed; it is being written anew".to_owned()));
        }
        if let Err(error) = self.file.write_all(bytes) {
            self.take_back();
            return Err(LogError::Disk(error.to_string()));
        }
        if let Err(error) = self.file.sync_data() {
            // Which of its pages are on the disk nobody knows, and a second sync would not tell either.
            self.take_back();
            self.suspect();
            return Err(LogError::Disk(error.to_string()));
        }
        self.grown_to(self.length + bytes.len() as u64);
        Ok(())
    }

    /// Removes what was written of something that failed, so that what is written next does not lie behind it.
    fn take_back(&mut self) {
        let cut = self.file.set_len(self.length);
        if cut.and_then(|()| self.file.seek(SeekFrom::Start(self.length)).map(drop)).is_err() {
            self.suspect();
        }
    }

    fn suspect(&self) {
        self.state.is_suspect.store(true, Ordering::Relaxed);
    }

    fn grown_to(&mut self, length: u64) {
        self.length = length;
        self.state.bytes.store(length, Ordering::Relaxed);
    }

    fn replace(&mut self, bytes: &[u8]) -> std::result::Result<(), LogError> {
        let replaced = if bytes.is_empty() { self.empty() } else { self.rename_new(bytes) };
        if replaced.is_ok() {
            self.state.is_suspect.store(false, Ordering::Relaxed);
        }
        replaced.map_err(|error| LogError::Disk(error.to_string()))
    }

    /// Keeps the heading only. Needs no room, so that it works on a full disk.
    fn empty(&mut self) -> io::Result<()> {
        let length = HEADING.len() as u64;
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        self.file.sync_data()?;
        self.grown_to(length);
        Ok(())
    }

    fn rename_new(&mut self, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.with_extension("new");
        // One that a process left that died here.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = open_private(&path)?;
        let written = file.try_lock().map_err(io::Error::from).and_then(|()| {
            file.write_all(HEADING)?;
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| std::fs::rename(&path, &self.path)) {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        self.file = file;
        self.grown_to((HEADING.len() + bytes.len()) as u64);
        sync_folder(&self.path)
    }
}

/// A log in memory, for tests and for trying things out. Nothing outlives the process.
#[derive(Debug, Default)]
pub struct Volatile(Mutex<Vec<u8>>);

impl Volatile {
    fn done() -> Synced {
        let (tell, told) = oneshot::channel();
        let _ = tell.send(Ok(()));
        told
    }
}

impl Log for Volatile {
    fn append(&self, bytes: Vec<u8>) -> Synced {
        self.0.lock().extend(bytes);
        Self::done()
    }

    fn replace(&self, bytes: Vec<u8>) -> Synced {
        *self.0.lock() = bytes;
        Self::done()
    }

    fn bytes(&self) -> u64 {
        self.0.lock().len() as u64
    }

    fn is_suspect(&self) -> bool {
        false
    }

    fn close(&self) {}
}
