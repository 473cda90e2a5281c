//! What is measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::storage::embedded::Settings;
use actors::storage::{Embedded, Storage};

use super::Failure;
use super::raw::Raw;
use super::raw::redb::Redb;

/// A backend through the interface, and its driver by itself beside it.
pub(crate) struct Backend {
    pub(crate) storage: Arc<dyn Storage>,
    /// All rows at once, in no order.
    pub(crate) raw: Arc<dyn Raw>,
    /// In the order that a crash needs; none where one transaction takes all rows of a call.
    pub(crate) in_order: Option<Arc<dyn Raw>>,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    #[cfg(feature = "scylla")]
    Cluster(Option<super::cassandra::Ring>),
}

impl Backend {
    /// Opens, and makes, what the URL names.
    pub(crate) async fn open(url: &str) -> Result<Self, Failure> {
        match url.split_once(':') {
            Some(("redb", folder)) => {
                let folder = Path::new(folder).join(format!("store-bench-{}", std::process::id()));
                std::fs::create_dir_all(&folder)?;
                let storage = Arc::new(Embedded::open(&folder.join("interface.redb"), &Settings::default())?);
                let raw = Arc::new(Redb::open(&folder.join("raw.redb"))?);
                Ok(Self { storage, raw, in_order: None, place: Place::Folder(folder) })
            }
            #[cfg(feature = "scylla")]
            Some(("scylla", "start")) => {
                let ring = super::cassandra::Ring::start(1);
                let point = ring.contact_point(0);
                Self::cluster(point, "bench", Some(ring)).await
            }
            #[cfg(feature = "scylla")]
            Some(("scylla", rest)) => match rest.trim_start_matches('/').split_once('/') {
                Some((point, prefix)) => Self::cluster(point.to_owned(), prefix, None).await,
                None => Err("write scylla:start or scylla://HOST:PORT/PREFIX".into()),
            },
            _ => Err(format!(
                "no backend is named by {url}; write redb:FOLDER, or scylla:start with the \
                              feature scylla"
            )
            .into()),
        }
    }

    /// One copy; deadlines for a machine that runs the cluster as well.
    #[cfg(feature = "scylla")]
    async fn cluster(
        point: String,
        prefix: &str,
        ring: Option<super::cassandra::Ring>,
    ) -> Result<Self, Failure> {
        use actors::storage::scylla::{Scylla, Settings, migrate};

        use super::raw::cassandra::Cassandra;
        use super::raw::in_order::InOrder;
        let settings = Settings {
            contact_points: vec![point],
            keyspace_prefix: prefix.to_owned(),
            copies: 1,
            call_path_ms: 5_000,
            call_path_total_ms: 20_000,
            ..Settings::default()
        };
        // Each driver writes into tables of its own, as full as the others'.
        let of = |arm: &str| Settings { keyspace_prefix: format!("{prefix}_{arm}"), ..settings.clone() };
        let (at_once, in_order) = (of("raw"), of("ordered"));
        for settings in [&settings, &at_once, &in_order] {
            migrate(settings).await?;
        }
        Ok(Self {
            storage: Arc::new(Scylla::open(&settings).await?),
            raw: Arc::new(Cassandra::open(&at_once).await?),
            in_order: Some(Arc::new(InOrder::new(Cassandra::open(&in_order).await?))),
            place: Place::Cluster(ring),
        })
    }

    /// The server's process, where this one started it.
    pub(crate) fn server(&self) -> Option<u32> {
        match &self.place {
            Place::Folder(_) => None,
            #[cfg(feature = "scylla")]
            Place::Cluster(ring) => ring.as_ref().map(|ring| ring.process(0)),
        }
    }

    /// Says how large the store's file is, where it is one, and removes what was made.
    pub(crate) fn close(self) -> Result<(), Failure> {
        drop((self.storage, self.raw, self.in_order));
        match self.place {
            Place::Folder(folder) => {
                let bytes = std::fs::metadata(folder.join("interface.redb"))?.len();
                println!("{:<28} {:>9} KiB", "file", bytes / 1_024);
                std::fs::remove_dir_all(&folder)?;
            }
            #[cfg(feature = "scylla")]
            Place::Cluster(ring) => drop(ring),
        }
        Ok(())
    }
}
