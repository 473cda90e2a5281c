//! The index's files: opened, proved whole, or thrown away and made anew.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use tantivy::directory::MmapDirectory;
use tantivy::directory::error::{OpenDirectoryError, OpenReadError};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError};

use super::callers::Callers;
use super::document::{ANALYSER, Fields, analyser, schema};
use super::progress::Progress;
use super::{Error, Result};

/// The folder of tantivy's files within the search's own.
const INDEX: &str = "index";
/// The key that callers are hashed with.
const KEY: &str = "caller.key";

/// An index that can be read.
pub(super) struct Readable {
    pub(super) index: Index,
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) callers: Callers,
}

/// An index that can be read and written, and how far it is.
pub(super) struct Opened {
    pub(super) readable: Arc<Readable>,
    pub(super) writer: IndexWriter,
    pub(super) progress: Progress,
}

/// Why an index was not opened.
pub(super) enum Refused {
    /// Its files are damaged, or another version's: they are worth nothing.
    Worthless(String),
    /// The machine failed: try again later.
    Later(Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Later(Error::Index { why: error.to_string() })
    }
}

impl From<TantivyError> for Refused {
    fn from(error: TantivyError) -> Self {
        let later = match &error {
            TantivyError::IoError(io) => !is_damage(io),
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) => !is_damage(io_error),
            TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error, .. }) => {
                !is_damage(io_error)
            }
            TantivyError::LockFailure(..)
            | TantivyError::OpenWriteError(_)
            | TantivyError::SystemError(_)
            | TantivyError::ErrorInThread(_)
            | TantivyError::OpenDirectoryError(OpenDirectoryError::FailedToCreateTempDir(_)) => true,
            _ => false,
        };
        if later { Self::Later(error.into()) } else { Self::Worthless(error.to_string()) }
    }
}

/// Whether a file was read well and holds what makes no sense.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// Opens the index in `folder`, or makes one where there is none. `prove` reads all of its files and compares their
/// checksums.
pub(super) fn open(folder: &Path, writer_bytes: usize, prove: bool) -> std::result::Result<Opened, Refused> {
    let (files, key) = (folder.join(INDEX), folder.join(KEY));
    DirBuilder::new().recursive(true).mode(0o700).create(&files)?;
    let (schema, fields) = schema();
    let directory = MmapDirectory::open(&files).map_err(TantivyError::from)?;
    let is_new = !Index::exists(&directory).map_err(TantivyError::from)?;
    let callers = match Callers::read(&key)? {
        Some(callers) => callers,
        None if is_new => {
            // A key that was cut short while it was made.
            remove(&key)?;
            Callers::make(&key)?
        }
        None => return Err(Refused::Worthless("the key of its callers is missing".to_owned())),
    };
    let index = Index::open_or_create(directory, schema)?;
    index.tokenizers().register(ANALYSER, analyser());
    let progress = match (is_new, index.load_metas()?.payload.as_deref()) {
        (true, _) | (false, None) => Progress::nothing(),
        (false, Some(text)) => Progress::from_text(text)
            .ok_or_else(|| Refused::Worthless("another version of this program made it".to_owned()))?,
    };
    if prove {
        let damaged = index.validate_checksum()?;
        if let Some(first) = damaged.iter().next() {
            return Err(Refused::Worthless(format!("{} is damaged", first.display())));
        }
    }
    let writer = index.writer_with_num_threads(1, writer_bytes)?;
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    Ok(Opened { readable: Arc::new(Readable { index, reader, fields, callers }), writer, progress })
}

/// Throws the index away.
pub(super) fn wipe(folder: &Path) -> Result<()> {
    let failed =
        |error: io::Error| Error::Index { why: format!("{} can't be emptied: {error}", folder.display()) };
    match std::fs::remove_dir_all(folder.join(INDEX)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => remove(&folder.join(KEY)).map_err(failed),
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether `folder` holds a file of a segment that is not among these.
pub(super) fn has_others(folder: &Path, segments: &[String]) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder.join(INDEX))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let segment = name.split('.').next().unwrap_or_default();
        let is_segment = segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_segment && !segments.iter().any(|living| living == segment) {
            return Ok(true);
        }
    }
    Ok(false)
}
