//! What takes longer than an answer may: begun by one request, looked at by others.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use actors::storage::backup::{self, KeySource, Summary};
use actors::storage::{self, Examination, Fault, Page, Part, Storage};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Desk, Failure};
use crate::clock;

/// Work on the whole store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Write a backup to a new file on the node's machine.
    BackUp {
        /// The file.
        to: PathBuf,
        /// Its key.
        key: KeySource,
        /// With the recordings.
        recordings: bool,
        /// With the master key, which is in this file.
        master_key: Option<PathBuf>,
    },
    /// Read everything, and look whether what belongs together is there.
    Check,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// The backup is written.
    BackedUp(Summary),
    /// The store was read.
    Checked(Examination),
}

/// The work that goes on: one at a time.
#[derive(Debug, Default)]
pub struct Jobs(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    number: u64,
    /// Absent while it goes on.
    outcome: Option<Result<JobOutcome, Failure>>,
    goes_on: bool,
}

impl Jobs {
    /// Begins work, and says by which number it is asked for.
    pub(super) fn start(desk: &Desk, job: Job) -> Result<u64, Failure> {
        let number = {
            let mut state = desk.jobs.0.lock();
            if state.goes_on {
                let why = "other work on the whole store goes on; wait until it is over".to_owned();
                return Err(Failure::Refused { why });
            }
            *state = State { number: state.number + 1, outcome: None, goes_on: true };
            state.number
        };
        let desk = desk.clone();
        tokio::spawn(async move {
            // In a task of its own, so that one that panics is over, too.
            let jobs = Arc::clone(&desk.jobs);
            let outcome = tokio::spawn(async move { work(&desk, job).await }).await;
            let failed = |why: String| Err(Failure::Failed { why });
            let mut state = jobs.0.lock();
            state.outcome = Some(outcome.unwrap_or_else(|error| failed(error.to_string())));
            state.goes_on = false;
        });
        Ok(number)
    }

    /// What came of the work of this number, if it is over.
    pub(super) fn look(&self, number: u64) -> Result<Option<JobOutcome>, Failure> {
        let state = self.0.lock();
        if state.number != number {
            return Err(Failure::NotFound {
                what: format!("work {number}; it is over, and other work followed"),
            });
        }
        state.outcome.clone().transpose()
    }
}

async fn work(desk: &Desk, job: Job) -> Result<JobOutcome, Failure> {
    match job {
        Job::BackUp { to, key, recordings, master_key } => {
            let options = backup::Options { to, key, recordings, master_key, now: clock::now() };
            let written = backup::write(&*desk.storage, &desk.recordings, options).await;
            written.map(JobOutcome::BackedUp).map_err(|error| Failure::Failed { why: error.to_string() })
        }
        Job::Check => {
            let checked = check(&*desk.storage).await;
            checked.map(JobOutcome::Checked).map_err(|error| Failure::Failed { why: error.to_string() })
        }
    }
}

async fn check(store: &dyn Storage) -> Result<Examination, storage::Error> {
    store.check().await?;
    let Some(frozen) = store.freeze()? else {
        return match store.examine().await? {
            Some(found) => Ok(found),
            None => read_all(store).await,
        };
    };
    let examined = tokio::task::spawn_blocking(move || frozen.examine()).await;
    examined.unwrap_or_else(|error| Err(storage::Error::Unavailable { why: error.to_string() }))
}

/// Of a store that can't be held still: whether every row can be read.
async fn read_all(store: &dyn Storage) -> Result<Examination, storage::Error> {
    let mut found = Examination { rows: BTreeMap::new(), ..Examination::default() };
    for part in Part::ALL {
        let (mut page, mut rows) = (Page::first(500), 0);
        loop {
            match store.export(part, page).await {
                Ok(listing) => {
                    rows += listing.rows.len() as u64;
                    let Some(next) = listing.next else { break };
                    page = Page { after: Some(next), limit: 500 };
                }
                Err(error @ storage::Error::Corrupt { .. }) => {
                    let what = format!("{error}; what follows was not read");
                    found.faults.push(Fault { table: part.to_string(), row: rows + 1, what });
                    found.faults_total += 1;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        found.rows.insert(part.to_string(), rows);
    }
    Ok(found)
}
