//! One store into another while others write the first.
//!
//! Its rows are read once, into a sealed file beside the copy's progress, and from there they are made one whole and
//! written, as a backup is restored: two looks at what changes meanwhile would not see the same. A copy that was
//! stopped while it read begins anew, one that was stopped while it wrote goes on.

use std::path::{Path, PathBuf};

use super::Progress;
use crate::clock::Clock;
use crate::storage::Storage;
use crate::storage::backup::{self, Error, Item, KeySource, Mended, Result, Tally, Whole};

/// What was read of a store, on its way.
#[derive(Debug, Clone)]
pub struct Spool {
    rows: PathBuf,
    key: PathBuf,
}

/// What a copy of a store that others write came to.
#[derive(Debug)]
pub struct Copied {
    /// The rows that the other store must have.
    pub rows: Tally,
    /// Rows that were written this time, or were there.
    pub written: u64,
    /// What was mended.
    pub mended: Mended,
}

impl Spool {
    /// The files beside this one, which tells of the copy's progress.
    #[must_use]
    pub fn beside(progress: &Path) -> Self {
        Self { rows: progress.with_extension("rows"), key: progress.with_extension("key") }
    }

    fn source(&self) -> KeySource {
        KeySource::KeyFile(self.key.clone())
    }

    /// Makes a key of its own. What an earlier copy left is gone then.
    fn begin(&self) -> Result<()> {
        self.remove()?;
        KeySource::make(&self.key).map(drop)
    }

    /// Removes both files, the key first: without it the other is noise.
    ///
    /// # Errors
    /// One can't be removed.
    pub fn remove(&self) -> Result<()> {
        for path in [&self.key, &self.rows] {
            match std::fs::remove_file(path) {
                Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::File { path: path.clone(), why });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Copies what `progress` lacks of a store that may be written meanwhile, and gives it to `keep` after each step,
/// when what it says is durable. The spool stays until it is removed; it is read on the caller's thread.
///
/// # Errors
/// Those of the stores, of the spool's files, and of `keep`.
pub async fn copy_live(
    from: &dyn Storage,
    to: &dyn Storage,
    spool: &Spool,
    page_rows: usize,
    progress: &mut Progress,
    mut keep: impl FnMut(&Progress) -> backup::Result<()>,
) -> Result<Copied> {
    if progress.spooled.is_none() {
        spool.begin()?;
        backup::write_rows(from, &spool.rows, &spool.source(), Clock::system().now()).await?;
        progress.spooled = Some(0);
        keep(progress)?;
    }
    let written_before = progress.spooled.unwrap_or_default();
    let mut copied = Copied { rows: Tally::default(), written: 0, mended: Mended::default() };
    let (mut whole, mut item_number) = (Whole::open(&spool.rows, &spool.source())?, 0);
    while let Some(item) = whole.next_item()? {
        let Item::Rows(rows) = item else { continue };
        copied.rows.add(&rows)?;
        item_number += 1;
        if item_number <= written_before {
            continue;
        }
        for page in rows.chunks(page_rows.max(1)) {
            to.import(page).await?;
        }
        copied.written += rows.len() as u64;
        progress.spooled = Some(item_number);
        keep(progress)?;
    }
    copied.mended = whole.mended();
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::conformance::portable;
    use crate::storage::copy::compare_with;
    use crate::storage::{Memory, Part};

    /// Stopped after every step, until it is done: each goes on where the one before was stopped.
    #[tokio::test]
    async fn a_copy_that_is_stopped_again_and_again_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::beside(&folder.path().join("copying.json"));
        let (from, to) = (Memory::new(), Memory::new());
        portable::fill(&from).await;
        let mut progress = Progress::none("one".to_owned(), "other".to_owned());
        let mut stops = 0;
        let copied = loop {
            let mut steps = 0;
            let stop = |told: &Progress| {
                // It is read as it was kept.
                let text = serde_json::to_string(told).expect("small");
                assert_eq!(serde_json::from_str::<Progress>(&text).expect("read"), *told);
                steps += 1;
                if steps > 1 { Err(Error::Stopped { why: "killed".to_owned() }) } else { Ok(()) }
            };
            match copy_live(&from, &to, &spool, 2, &mut progress, stop).await {
                Ok(copied) => break copied,
                Err(Error::Stopped { .. }) => stops += 1,
                Err(error) => panic!("{error}"),
            }
        };
        assert!(stops > 3, "{stops} stops");
        for (part, from, to) in compare_with(&copied.rows, &to).await.expect("compared") {
            assert_eq!(from, to, "{part}");
        }
        for part in Part::ALL {
            assert_eq!(portable::rows_of(&to, part, 100).await, portable::rows_of(&from, part, 100).await);
        }
        spool.remove().expect("removed");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 0);
        // Before it was read to its end it begins anew.
        std::fs::write(folder.path().join("copying.key"), "half").expect("written");
        let mut progress = Progress::none("one".to_owned(), "another".to_owned());
        copy_live(&from, &Memory::new(), &spool, 2, &mut progress, |_| Ok(())).await.expect("copied");
    }
}
