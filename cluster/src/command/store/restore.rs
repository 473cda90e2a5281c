//! `store restore`.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use actors::storage::backup::{Error as BackupError, Item, KeySource, Mended, Summary, Tally, Whole};
use actors::storage::recordings::ObjectFolder;
use actors::storage::{Embedded, Storage};
use clap::Args;
use serde::Serialize;

use super::key::Key;
use super::{backup, mended};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::node::{KEY_FILE, RECORDINGS_FOLDER, STORE_FILE};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    key: Key,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let data = std::path::absolute(&config.node.data)?;
    expect_empty(&data)?;
    let aside = aside(&data);
    // What an earlier one left that did not come to its end.
    remove(&aside)?;
    let restored = fill(&aside, &arguments.from, &arguments.key.source()?, config).await;
    let restored = match restored.and_then(|restored| put(&aside, &data).map(|()| restored)) {
        Ok(restored) => restored,
        Err(error) => {
            remove(&aside)?;
            return Err(error);
        }
    };
    output.show(&restored, text)?;
    if !restored.summary.master_key {
        eprintln!(
            "the backup has no master key: put the one of its node at {} before anything runs on this \
             directory, without it no recording can be heard",
            data.join(KEY_FILE).display()
        );
    }
    Ok(())
}

/// What is there now.
#[derive(Debug, Serialize)]
struct Restored {
    #[serde(flatten)]
    summary: Summary,
    /// What had to be mended, since the backup is not of one moment.
    #[serde(skip_serializing_if = "Mended::is_nothing")]
    mended: Mended,
}

fn text(restored: &Restored) -> String {
    backup::text(&restored.summary) + &mended::text(&restored.mended)
}

/// Nothing that is there is written over.
fn expect_empty(data: &Path) -> Result<(), Error> {
    match std::fs::read_dir(data).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let why = format!("{} is not empty; restore into a new directory with --data", data.display());
            Err(Error::Store { why })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(why) => Err(Error::Unreadable { path: data.to_owned(), why, mend: "name another with --data" }),
    }
}

/// Where it is put together: beside its place, so that it gets there whole or not at all.
fn aside(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file(folder, error)),
        _ => Ok(()),
    }
}

fn file(path: &Path, why: std::io::Error) -> Error {
    BackupError::File { path: path.to_owned(), why }.into()
}

/// Puts everything of a backup into a new directory.
async fn fill(folder: &Path, from: &Path, key: &KeySource, config: &NodeConfig) -> Result<Restored, Error> {
    let (mut backup, mut tally) = (Whole::open(from, key)?, Tally::default());
    let mut folders = std::fs::DirBuilder::new();
    folders.recursive(true).mode(0o700).create(folder).map_err(|why| file(folder, why))?;
    let store = Embedded::open(&folder.join(STORE_FILE), &config.storage)?;
    let head = backup.head().clone();
    let mut summary =
        Summary { recordings: head.recordings, master_key: head.master_key, ..Summary::default() };
    let mut objects = None;
    while let Some(item) = backup.next_item()? {
        match item {
            Item::Rows(rows) => {
                tally.add(&rows)?;
                store.import(&rows).await?;
            }
            Item::Object(object) => {
                let open = || ObjectFolder::open(&folder.join(RECORDINGS_FOLDER)).map_err(BackupError::from);
                let objects = match &mut objects {
                    Some(objects) => objects,
                    none => none.insert(open()?),
                };
                summary.objects += 1;
                summary.object_bytes += object.bytes.len() as u64;
                objects.put(&object.name, object.bytes).await.map_err(BackupError::from)?;
            }
            Item::MasterKey(bytes) => {
                let path = folder.join(KEY_FILE);
                let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
                let written = made.and_then(|mut key| key.write_all(&bytes).and_then(|()| key.sync_all()));
                written.map_err(|why| file(&path, why))?;
            }
            Item::Head(_) | Item::Tail(_) => {}
        }
    }
    summary.rows = tally.counts();
    store.close();
    // The audio's files, too, before the directory gets its name.
    nix::unistd::sync();
    Ok(Restored { summary, mended: backup.mended() })
}

/// Gives what was restored its place.
fn put(aside: &Path, data: &Path) -> Result<(), Error> {
    match std::fs::remove_dir(data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file(data, error)),
        _ => {}
    }
    std::fs::rename(aside, data).map_err(|why| file(data, why))?;
    let parent = data.parent().unwrap_or_else(|| Path::new("/"));
    std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(|why| file(parent, why))
}
