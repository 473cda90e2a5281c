//! The handle to the search.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use async_trait::async_trait;
use metrics::histogram;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::files::Readable;
use super::inbox::{Ended, Inbox, Order};
use super::indexer::{Indexer, Work};
use super::metrics::FIND_SECONDS;
use super::{Error, Forget, Found, Question, Result, Settings, find};
use crate::clock::{Clock, ms};
use crate::storage::Storage;
use crate::storage::retention::Index;
use crate::types::{CallId, CallRecord, TenantId};

/// The search over a store's transcripts, and the thread that keeps its index. Stop it with [`Search::stop`];
/// dropped, it ends by itself without waiting.
pub struct Search {
    shared: Arc<Shared>,
    storage: Arc<dyn Storage>,
    settings: Settings,
    clock: Clock,
    questions: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the indexer's thread and the handle share.
pub(super) struct Shared {
    pub(super) inbox: Inbox,
    pub(super) readable: RwLock<Option<Arc<Readable>>>,
    pub(super) complete: AtomicBool,
    pub(super) calls: AtomicU64,
    /// Why nothing can be read or written at present.
    pub(super) trouble: Mutex<Option<String>>,
}

/// How the index is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Calls in it.
    pub calls: u64,
    /// Calls that wait to be put in.
    pub waiting: usize,
    /// Every call of the store was looked at; not so while it is being built.
    pub complete: bool,
    /// What is wrong with it, where something is.
    pub trouble: Option<String>,
}

impl Search {
    /// Starts the search over `storage` with its index in `folder`. Returns at once; the index is opened, and built
    /// where it is missing, damaged or another version's, by a thread of its own. Needs a tokio runtime that lives
    /// on until [`Search::stop`].
    ///
    /// # Errors
    /// Where there is no room for the thread.
    pub fn start(folder: &Path, settings: Settings, storage: Arc<dyn Storage>, clock: Clock) -> Result<Self> {
        let shared = Arc::new(Shared {
            inbox: Inbox::new(settings.queue_max),
            readable: RwLock::new(None),
            complete: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            trouble: Mutex::new(None),
        });
        let indexer = Indexer {
            storage: Arc::clone(&storage),
            settings: settings.clone(),
            clock: clock.clone(),
            folder: folder.to_owned(),
            shared: Arc::clone(&shared),
            runtime: tokio::runtime::Handle::current(),
            work: Work::new(clock.monotonic()),
        };
        let thread = std::thread::Builder::new()
            .name("search-index".to_owned())
            .spawn(move || indexer.run())
            .map_err(|error| Error::Unavailable { why: format!("no thread for its indexer: {error}") })?;
        let questions = Arc::new(Semaphore::new(settings.questions_at_once.max(1)));
        Ok(Self { shared, storage, settings, clock, questions, thread: Mutex::new(Some(thread)) })
    }

    /// Takes note of a call that is over, once its record and events are in the store. Never waits.
    pub fn ended(&self, record: &CallRecord) {
        self.shared.inbox.ended(Ended { call: record.id, began: record.started_at });
    }

    /// Answers a question. A call can be found `commit_ms` after its end, at the latest.
    ///
    /// # Errors
    /// [`Error::Question`] where the question can't be answered as it is put, [`Error::Unavailable`] where there is no
    /// index yet or no answer in time.
    pub async fn find(&self, question: Question) -> Result<Found> {
        let began = self.clock.monotonic();
        let found = timeout(ms(self.settings.find_ms), self.answer(question)).await;
        histogram!(FIND_SECONDS).record(began.elapsed().as_secs_f64());
        let late = || format!("there was no answer in {} ms; ask more precisely", self.settings.find_ms);
        found.unwrap_or_else(|_| Err(Error::Unavailable { why: late() }))
    }

    async fn answer(&self, question: Question) -> Result<Found> {
        let turn = Arc::clone(&self.questions).acquire_owned().await;
        let readable = self.shared.readable.read().clone();
        let Some(readable) = readable else {
            let trouble = self.shared.trouble.lock().clone();
            let why =
                trouble.unwrap_or_else(|| "its index is being opened; try again in a moment".to_owned());
            return Err(Error::Unavailable { why });
        };
        let complete = self.shared.complete.load(Ordering::Acquire);
        let (settings, asked) = (self.settings.clone(), question.clone());
        // A damaged file may make its reader panic; that must end no more than this question.
        let listed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            find::list(&readable, &asked, &settings)
        });
        let listed =
            listed.await.map_err(|_| Error::Index { why: "its files can't be read".to_owned() })??;
        find::show(&self.storage, &question, listed, complete).await
    }

    /// Removes calls so that neither a question nor a look into the files finds them. To be called after they were
    /// erased from the store.
    ///
    /// # Errors
    /// [`Error::Unfinished`] where they can't be found any more but their bytes may still be there.
    pub async fn forget(&self, what: Forget) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.shared.inbox.order(Order::Forget(what, answer))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Throws the index away and begins to build it anew; [`Search::state`] says when it is complete.
    ///
    /// # Errors
    /// Where the old index can't be removed or a new one made.
    pub async fn rebuild(&self) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.shared.inbox.order(Order::Rebuild(answer))?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Looks for calls that were missed, now, and returns when all that have ended can be found. Waits as long as
    /// the store or the disk fails.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the search stops in the meantime.
    pub async fn settle(&self) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.shared.inbox.order(Order::Settle(answer))?;
        answered.await.map_err(|_| gone())
    }

    /// How the index is.
    #[must_use]
    pub fn state(&self) -> State {
        State {
            calls: self.shared.calls.load(Ordering::Acquire),
            waiting: self.shared.inbox.depth(),
            complete: self.shared.complete.load(Ordering::Acquire),
            trouble: self.shared.trouble.lock().clone(),
        }
    }

    /// Indexes what waits, commits, and lets go of the files. What is left after `stop_ms` is found at the next
    /// start.
    pub async fn stop(&self) {
        self.shared.inbox.close();
        self.join().await;
    }

    /// Stops as a process that dies does: nothing more is indexed or committed.
    #[cfg(test)]
    pub(super) async fn kill(&self) {
        self.shared.inbox.kill();
        self.join().await;
    }

    async fn join(&self) {
        let thread = self.thread.lock().take();
        let joined = match thread {
            Some(thread) => tokio::task::spawn_blocking(move || thread.join().is_ok()).await,
            None => Ok(true),
        };
        if !matches!(joined, Ok(true)) {
            tracing::error!("the search's indexer did not stop in order");
        }
        *self.shared.readable.write() = None;
    }
}

#[async_trait]
impl Index for Search {
    async fn forget_calls(&self, calls: Vec<CallId>) -> std::result::Result<(), String> {
        self.forget(Forget::Calls(calls)).await.map_err(|error| error.to_string())
    }

    async fn forget_business(&self, tenant: &TenantId) -> std::result::Result<(), String> {
        self.forget(Forget::Tenant(tenant.clone())).await.map_err(|error| error.to_string())
    }
}

fn gone() -> Error {
    Error::Unavailable { why: "it has stopped".to_owned() }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.shared.inbox.close();
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Search").field("state", &self.state()).finish_non_exhaustive()
    }
}
