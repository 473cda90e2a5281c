//! The driver of the cluster by itself, in the order that a crash needs: the rows that name a call before its own,
//! and its end before it goes from those that go on. The interface says the same statements and waits as often.

use std::sync::Arc;

use actors::types::CallRecord;
use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::cassandra::{Cassandra, CassandraRows};
use super::{Failure, Raw};

/// Entries of calls that are over which are dropped at once behind their callers' backs: as many as the store's.
const CLOSING_MAX: usize = 256;

/// The same session and statements, one after the other.
pub(crate) struct InOrder {
    driver: Arc<Cassandra>,
    closing: Arc<Semaphore>,
}

impl InOrder {
    pub(crate) fn new(driver: Cassandra) -> Self {
        Self { driver: Arc::new(driver), closing: Arc::new(Semaphore::new(CLOSING_MAX)) }
    }
}

#[async_trait]
impl Raw for InOrder {
    async fn begin(&self, record: &CallRecord) -> Result<(), Failure> {
        let rows = CassandraRows::of(record)?;
        let driver = &self.driver;
        tokio::try_join!(
            driver.put_by_day(&rows),
            driver.put_by_caller(&rows),
            driver.put_bucket(&rows),
            driver.put_open(&rows),
        )?;
        driver.put_call(&rows).await
    }

    async fn end(&self, record: &CallRecord) -> Result<(), Failure> {
        let rows = CassandraRows::of(record)?;
        // Whether another process has the call by now is asked while it is written.
        tokio::try_join!(self.driver.read_call(&rows), self.driver.put_value(&rows))?;
        let Ok(permit) = Arc::clone(&self.closing).try_acquire_owned() else {
            return self.driver.drop_open(&rows).await;
        };
        let driver = Arc::clone(&self.driver);
        tokio::spawn(async move {
            if let Err(error) = driver.drop_open(&rows).await {
                eprintln!("an open entry stays: {error}");
            }
            drop(permit);
        });
        Ok(())
    }
}
