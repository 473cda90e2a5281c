//! Where a store is, as the command line names it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::storage::{Embedded, Storage};

use crate::command::Error;
use crate::config::NodeConfig;
use crate::node::STORE_FILE;
use crate::operator::Presence;

/// A store by its URL: `embedded:PATH`, the path of a data directory or of the file in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file.
    Embedded(PathBuf),
}

impl Place {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("embedded", path)) if !path.is_empty() => Ok(Self::Embedded(PathBuf::from(path))),
            _ => {
                Err("write embedded:PATH, the path of a data directory or of the store's file in it"
                    .to_owned())
            }
        }
    }

    /// The same place, whatever the directory that it is named in.
    pub(super) fn absolute(&self) -> Result<Self, Error> {
        let Self::Embedded(path) = self;
        let path = std::path::absolute(path)?;
        let is_file = path.extension().is_some_and(|extension| extension == "redb");
        Ok(Self::Embedded(if is_file { path } else { path.join(STORE_FILE) }))
    }

    /// Opens the store that is there.
    pub(super) async fn open(&self, config: &NodeConfig) -> Result<Arc<dyn Storage>, Error> {
        let Self::Embedded(path) = self;
        if !path.exists() {
            return Err(Error::Store { why: format!("there is no store in {}", path.display()) });
        }
        self.open_or_make(config).await
    }

    /// Opens the store, or makes one.
    pub(super) async fn open_or_make(&self, config: &NodeConfig) -> Result<Arc<dyn Storage>, Error> {
        let Self::Embedded(path) = self;
        if let Some(node) = path.parent().and_then(Presence::find) {
            let why = format!("a node runs on {} (process {}); stop it first", path.display(), node.pid);
            return Err(Error::Store { why });
        }
        let (path, settings) = (path.clone(), config.storage.clone());
        let opened = tokio::task::spawn_blocking(move || Embedded::open(&path, &settings)).await;
        let opened = opened.map_err(|error| Error::Store { why: error.to_string() })?;
        Ok(Arc::new(opened?))
    }

    /// Where its copy's progress is written, where it is the one that is made.
    pub(super) fn progress_file(&self) -> PathBuf {
        let Self::Embedded(path) = self;
        path.with_extension("copying.json")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Embedded(path) = self;
        write!(formatter, "embedded:{}", Path::display(path))
    }
}
