//! Where a store is, as the command line names it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::storage::scylla::{Scylla, Settings, migrate};
use actors::storage::{Embedded, Storage};

use crate::command::Error;
use crate::config::NodeConfig;
use crate::node::STORE_FILE;
use crate::operator::Presence;

/// A store by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// `embedded:PATH`, the path of a data directory or of the store's file in it.
    Embedded(PathBuf),
    /// `scylla://HOST:PORT/PREFIX`, a cluster by some of its nodes and what its keyspaces begin with. How it is
    /// reached otherwise, such as its password, is the configuration's.
    Scylla {
        /// The nodes.
        contact_points: Vec<String>,
        /// What the keyspaces begin with.
        prefix: String,
    },
}

impl Place {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let wrong = || {
            "write embedded:PATH, the path of a data directory or of the store's file in it, or \
             scylla://HOST:PORT,…/PREFIX"
                .to_owned()
        };
        if let Some(path) = url.strip_prefix("embedded:").filter(|path| !path.is_empty()) {
            return Ok(Self::Embedded(PathBuf::from(path)));
        }
        let (points, prefix) =
            url.strip_prefix("scylla://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        let contact_points: Vec<String> = points.split(',').map(str::to_owned).collect();
        let is_whole = !prefix.is_empty() && contact_points.iter().all(|point| point.contains(':'));
        is_whole.then(|| Self::Scylla { contact_points, prefix: prefix.to_owned() }).ok_or_else(wrong)
    }

    /// The same place, whatever the directory that it is named in.
    pub(super) fn absolute(&self) -> Result<Self, Error> {
        let Self::Embedded(path) = self else { return Ok(self.clone()) };
        let path = std::path::absolute(path)?;
        let is_file = path.extension().is_some_and(|extension| extension == "redb");
        Ok(Self::Embedded(if is_file { path } else { path.join(STORE_FILE) }))
    }

    /// Opens the store that is there.
    pub(super) async fn open(&self, config: &NodeConfig) -> Result<Arc<dyn Storage>, Error> {
        match self {
            Self::Embedded(path) if !path.exists() => {
                Err(Error::Store { why: format!("there is no store in {}", path.display()) })
            }
            Self::Embedded(path) => embedded(path, config).await,
            Self::Scylla { contact_points, prefix } => {
                Ok(Arc::new(Scylla::open(&settings(config, contact_points, prefix)).await?))
            }
        }
    }

    /// Opens the store, or makes one.
    pub(super) async fn open_or_make(&self, config: &NodeConfig) -> Result<Arc<dyn Storage>, Error> {
        match self {
            Self::Embedded(path) => embedded(path, config).await,
            Self::Scylla { contact_points, prefix } => {
                migrate(&settings(config, contact_points, prefix)).await?;
                self.open(config).await
            }
        }
    }

    /// Where its copy's progress is written, where it is the one that is made.
    pub(super) fn progress_file(&self, config: &NodeConfig) -> PathBuf {
        match self {
            Self::Embedded(path) => path.with_extension("copying.json"),
            Self::Scylla { prefix, .. } => config.node.data.join(format!("{prefix}.copying.json")),
        }
    }
}

fn settings(config: &NodeConfig, contact_points: &[String], prefix: &str) -> Settings {
    Settings {
        contact_points: contact_points.to_vec(),
        keyspace_prefix: prefix.to_owned(),
        ..config.scylla.clone()
    }
}

async fn embedded(path: &Path, config: &NodeConfig) -> Result<Arc<dyn Storage>, Error> {
    if let Some(node) = path.parent().and_then(Presence::find) {
        let why = format!("a node runs on {} (process {}); stop it first", path.display(), node.pid);
        return Err(Error::Store { why });
    }
    let (path, settings) = (path.to_owned(), config.storage.clone());
    let opened = tokio::task::spawn_blocking(move || Embedded::open(&path, &settings)).await;
    let opened = opened.map_err(|error| Error::Store { why: error.to_string() })?;
    Ok(Arc::new(opened?))
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded(path) => write!(formatter, "embedded:{}", path.display()),
            Self::Scylla { contact_points, prefix } => {
                write!(formatter, "scylla://{}/{prefix}", contact_points.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_shown() {
        for url in ["embedded:/a/data/strowger.redb", "scylla://10.0.0.1:9042,10.0.0.2:9042/strowger"] {
            assert_eq!(Place::parse(url).expect("a place").to_string(), url);
        }
        for wrong in
            ["", "embedded:", "/a/data", "scylla://host/strowger", "scylla://host:1/", "redis://a:1/b"]
        {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
