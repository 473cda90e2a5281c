//! `store copy`.

use std::io::Write;
use std::path::{Path, PathBuf};

use actors::storage::backup::{Mended, Sum};
use actors::storage::copy::{Progress, Spool, compare, compare_with, copy, copy_live};
use actors::storage::{self, Part, Storage, backup};
use clap::Args;
use serde::Serialize;

use super::mended;
use super::place::Place;
use crate::command::output::table;
use crate::command::{Error, Output};
use crate::config::NodeConfig;

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The store to read: embedded:PATH, on which no node may run, or scylla://HOST:PORT/PREFIX, on which nodes may
    #[arg(long, value_name = "URL", value_parser = Place::parse)]
    from: Place,
    /// The store to write, which is made where it is not there
    #[arg(long, value_name = "URL", value_parser = Place::parse)]
    to: Place,
    /// The file that says how far the copy is [default: beside the store that is written]
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
    /// Rows that are written at once
    #[arg(long, value_name = "ROWS", default_value_t = 500)]
    rows: usize,
}

#[derive(Debug, Serialize)]
struct Copied {
    copied: u64,
    parts: Vec<PartCopied>,
    /// What had to be mended, since the store was written meanwhile.
    #[serde(skip_serializing_if = "Mended::is_nothing")]
    mended: Mended,
}

#[derive(Debug, Serialize)]
struct PartCopied {
    part: String,
    from: u64,
    to: u64,
    same: bool,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let (from, to) = (arguments.from.absolute()?, arguments.to.absolute()?);
    if from == to {
        return Err(Error::Store { why: "a store is not copied into itself".to_owned() });
    }
    let file = arguments.progress.unwrap_or_else(|| to.progress_file(config));
    let (source, target) = (from.open(config).await?, to.open_or_make(config).await?);
    let mut progress = begun(&file, &from, &to)?;
    if !progress.parts.is_empty() || progress.spooled.is_some() {
        eprintln!("going on with the copy that {} tells of", file.display());
    }
    let spool = Spool::beside(&file);
    let made = make(&*source, &*target, arguments.rows, &mut progress, &file, &spool).await;
    if matches!(made, Err(backup::Error::Store(storage::Error::Conflict { .. })))
        && progress.spooled.is_some()
    {
        // What was read of it would be in the way again.
        std::fs::remove_file(&file)?;
        spool.remove()?;
    }
    let Made { copied, mended, sums } = made.map_err(in_the_way)?;
    let parts: Vec<PartCopied> = sums
        .into_iter()
        .map(|(part, from, to)| PartCopied {
            part: part.to_string(),
            from: from.rows,
            to: to.rows,
            same: from == to,
        })
        .collect();
    let different: Vec<&str> =
        parts.iter().filter(|part| !part.same).map(|part| part.part.as_str()).collect();
    let different = different.join(", ");
    output.show(&Copied { copied, parts, mended }, text)?;
    // The copy is over, whatever came of it: another one begins anew.
    std::fs::remove_file(&file)?;
    spool.remove()?;
    match different.as_str() {
        "" => Ok(()),
        parts => Err(Error::Store {
            why: format!(
                "the stores differ in {parts}; copy again, and where that changes nothing, the one that was \
                 written holds rows that the other lacks"
            ),
        }),
    }
}

/// What was copied, what was mended, and the sums of what there should be and of what there is.
struct Made {
    copied: u64,
    mended: Mended,
    sums: Vec<(Part, Sum, Sum)>,
}

/// Copies page by page where the store can be held still, since nobody writes it then; through a spool where not.
async fn make(
    from: &dyn Storage,
    to: &dyn Storage,
    rows: usize,
    progress: &mut Progress,
    file: &Path,
    spool: &Spool,
) -> backup::Result<Made> {
    let keep = |progress: &Progress| keep(file, progress);
    if from.freeze()?.is_some() {
        let copied = copy(from, to, rows, progress, keep).await?;
        return Ok(Made { copied, mended: Mended::default(), sums: compare(from, to).await? });
    }
    let copied = copy_live(from, to, spool, rows, progress, keep).await?;
    let sums = compare_with(&copied.rows, to).await?;
    Ok(Made { copied: copied.written, mended: copied.mended, sums })
}

/// A row that is not written over is named for who copies.
fn in_the_way(error: backup::Error) -> Error {
    match error {
        backup::Error::Store(storage::Error::Conflict { what }) => Error::Store {
            why: format!(
                "the store that is written has another {what} of the same identity, or what belongs to it is \
                 taken there; copy into an empty store"
            ),
        },
        error => error.into(),
    }
}

fn text(copied: &Copied) -> String {
    let rows: Vec<[String; 4]> = copied
        .parts
        .iter()
        .map(|part| {
            let same = if part.same { "same" } else { "different" };
            [part.part.clone(), part.from.to_string(), part.to.to_string(), same.to_owned()]
        })
        .collect();
    table(["PART", "FROM", "TO", "DIGEST"], &rows) + &mended::text(&copied.mended)
}

/// The progress of a copy that was stopped, of the same stores; or none.
fn begun(file: &Path, from: &Place, to: &Place) -> Result<Progress, Error> {
    let none = Progress::none(from.to_string(), to.to_string());
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(none),
        Err(why) => return Err(unreadable(file, why)),
    };
    let told: Progress = serde_json::from_str(&text).map_err(|error| unreadable(file, error.into()))?;
    if (&told.from, &told.to, told.rows_version) == (&none.from, &none.to, none.rows_version) {
        return Ok(told);
    }
    let why = format!(
        "{} tells of a copy from {} to {}; finish that one, or remove the file",
        file.display(),
        told.from,
        told.to
    );
    Err(Error::Store { why })
}

fn unreadable(file: &Path, why: std::io::Error) -> Error {
    let mend = "remove it; what was copied stays, and is only compared";
    Error::Unreadable { path: file.to_owned(), why, mend }
}

/// Writes the progress whole or not at all.
fn keep(file: &Path, progress: &Progress) -> backup::Result<()> {
    let failed = |why| backup::Error::File { path: file.to_owned(), why };
    let text = serde_json::to_vec(progress).map_err(|error| failed(error.into()))?;
    let new = file.with_extension("new");
    let written = std::fs::File::create(&new).and_then(|mut to| {
        to.write_all(&text)?;
        // After a power cut it may tell of less than was copied, never of more than it says.
        to.sync_data()
    });
    written.and_then(|()| std::fs::rename(&new, file)).map_err(failed)
}
