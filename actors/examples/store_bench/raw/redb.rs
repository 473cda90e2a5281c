//! redb by itself with the same group commit.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use actors::types::CallRecord;
use async_trait::async_trait;
use redb::{Database, TableDefinition};
use tokio::sync::oneshot;

use super::{Failure, Raw};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

const CALLS: Definition = TableDefinition::new("calls");
const BY_ID: Definition = TableDefinition::new("by_id");
const BY_CALLER: Definition = TableDefinition::new("by_caller");
const OPEN: Definition = TableDefinition::new("open");

/// The store's own bounds.
const QUEUE: usize = 4_096;
const BATCH: usize = 256;

struct Job {
    id: [u8; 16],
    key: Vec<u8>,
    caller: Vec<u8>,
    value: Vec<u8>,
    /// The call begins; else it ends, which changes the row and takes it from those that go on.
    begins: bool,
    answer: oneshot::Sender<bool>,
}

/// A file with one writing thread: rows go straight in.
pub(crate) struct Redb {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<Result<(), redb::Error>>>,
}

impl Redb {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let database = Database::create(path)?;
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::spawn(move || run(&database, &jobs));
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(Err(error)) = self.thread.take().and_then(|thread| thread.join().ok()) {
            eprintln!("the raw driver's file: {error}");
        }
    }
}

impl Redb {
    async fn put(&self, record: &CallRecord, begins: bool) -> Result<(), Failure> {
        let id = record.id.as_uuid().into_bytes();
        let time = (!record.started_at.as_nanosecond()).to_be_bytes();
        let caller = record.caller.as_ref().map_or("", |caller| caller.reveal().as_str());
        let key = [record.tenant.as_str().as_bytes(), &time, &id].concat();
        let caller = [record.tenant.as_str().as_bytes(), caller.as_bytes(), &time, &id].concat();
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or("it is closed")?;
        let value = serde_json::to_vec(record)?;
        queue.try_send(Job { id, key, caller, value, begins, answer })?;
        answered.await?.then_some(()).ok_or_else(|| "the commit failed".into())
    }
}

#[async_trait]
impl Raw for Redb {
    async fn begin(&self, record: &CallRecord) -> Result<(), Failure> {
        self.put(record, true).await
    }

    async fn end(&self, record: &CallRecord) -> Result<(), Failure> {
        self.put(record, false).await
    }
}

fn run(database: &Database, jobs: &Receiver<Job>) -> Result<(), redb::Error> {
    while let Ok(first) = jobs.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)).collect();
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(true);
        {
            let mut calls = transaction.open_table(CALLS)?;
            let mut by_id = transaction.open_table(BY_ID)?;
            let mut by_caller = transaction.open_table(BY_CALLER)?;
            let mut open = transaction.open_table(OPEN)?;
            for job in &batch {
                calls.insert(job.key.as_slice(), job.value.as_slice())?;
                if !job.begins {
                    open.remove(job.id.as_slice())?;
                    continue;
                }
                open.insert(job.id.as_slice(), job.key.as_slice())?;
                by_id.insert(job.id.as_slice(), job.key.as_slice())?;
                by_caller.insert(job.caller.as_slice(), job.key.as_slice())?;
            }
        }
        let committed = transaction.commit().is_ok();
        for job in batch {
            // Who waited may have gone.
            let _ = job.answer.send(committed);
        }
    }
    Ok(())
}
