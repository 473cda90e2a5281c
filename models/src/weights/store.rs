//! What of a model is on this machine.

use std::path::{Path, PathBuf};

use super::hash::sha256;
use super::{Error, File, MODELS, Model, find};

/// How a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not here.
    Missing,
    /// So many of its bytes are here.
    Partial(u64),
    /// It is here. Its size fits, if that is known; its hash was not looked at.
    Present,
    /// It is here and its hash is right.
    Right,
    /// It is here and nobody knows what its hash should be; this is what it is.
    Unverified(String),
    /// It is here and something else than it should be.
    Wrong(String),
}

/// The folder of all weights.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The weights below `folder`, which need not exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`], which says what there is.
    pub fn model(name: &str) -> Result<&'static Model, Error> {
        find(name).ok_or_else(|| {
            let known = MODELS.iter().map(|model| model.name).collect::<Vec<_>>().join(", ");
            Error::Unknown { name: name.into(), known }
        })
    }

    /// The model's folder.
    #[must_use]
    pub fn folder(&self, model: &Model) -> PathBuf {
        self.folder.join(model.name)
    }

    /// Where a file of a model lies.
    #[must_use]
    pub fn path(&self, model: &Model, file: &File) -> PathBuf {
        self.folder(model).join(file.path)
    }

    /// How a file is, without reading it.
    #[must_use]
    pub fn glance(&self, model: &Model, file: &File) -> State {
        let path = self.path(model, file);
        match size(&path) {
            Some(bytes) if file.bytes.is_none_or(|wanted| wanted == bytes) => State::Present,
            Some(bytes) => State::Wrong(format!("{bytes} bytes")),
            None => size(&part_of(&path)).map_or(State::Missing, State::Partial),
        }
    }

    /// How a file is, its hash included.
    ///
    /// # Errors
    /// [`Error::File`] where it can't be read.
    pub fn check(&self, model: &Model, file: &File) -> Result<State, Error> {
        let glance = self.glance(model, file);
        if glance != State::Present {
            return Ok(glance);
        }
        let path = self.path(model, file);
        let found = sha256(&path).map_err(|why| Error::File { path, why })?;
        Ok(match file.sha256 {
            Some(wanted) if wanted == found => State::Right,
            Some(_) => State::Wrong(found),
            None => State::Unverified(found),
        })
    }

    /// Whether all files of a model are here, at a glance.
    #[must_use]
    pub fn has(&self, model: &Model) -> bool {
        model.files.iter().all(|file| self.glance(model, file) == State::Present)
    }
}

/// Where a file's bytes go until they are all there.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

pub(super) fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|found| found.len())
}
