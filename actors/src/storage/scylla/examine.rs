//! Whether every row can be read, and every index entry points to a row and back, while others write.
//!
//! An index is written before its row and dropped after it, so that a look may come in between: what seems wrong is
//! looked at again after a pause, and told if it is so still. An open call's entry, a bucket and a claim of a number
//! may outlive what they were made for by design: whoever reads them finds that out, and they are no fault.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use scylla::deserialize::row::DeserializeRow;

use super::Scylla;
use super::cql::Statement;
use super::listing::for_each;
use crate::storage::ordered::examine::Found;
use crate::storage::{Cursor, Error, Examination, Page, Part, Result};

/// Rows of one look.
const PAGE: usize = 500;
/// The pause before what seems wrong is looked at again: longer than any change takes.
const PAUSE: Duration = Duration::from_secs(3);
/// So much is looked at again; what more there is, is told as it was seen.
const AGAIN_MAX: u64 = 1_000;

impl Scylla {
    pub(super) async fn examine_tables(&self) -> Result<Examination> {
        let mut look = Look { store: self, found: Examination::default(), again: AtomicU64::new(0) };
        for part in Part::ALL.into_iter().filter(|part| !matches!(part, Part::Bookings | Part::Written)) {
            look.part(part).await?;
        }
        look.table("calls_by_day", Statement::AllCallsByDay, |row| self.by_day(row)).await?;
        look.table("calls_by_caller", Statement::AllCallsByCaller, |row| self.by_caller(row)).await?;
        look.table("calendar", Statement::AllCalendars, |row| self.in_calendar(row)).await?;
        look.table("messages_by_month", Statement::AllListedMessages, |row| self.listed_message(row)).await?;
        look.table("recordings_by_month", Statement::AllRecordingsByMonth, |row| self.by_month(row)).await?;
        look.table("emails", Statement::AllEmails, |row| self.email(row)).await?;
        Ok(look.found)
    }
}

/// One look at everything.
struct Look<'s> {
    store: &'s Scylla,
    found: Examination,
    /// How much was looked at again.
    again: AtomicU64,
}

impl Look<'_> {
    /// The rows of a part.
    async fn part(&mut self, part: Part) -> Result<()> {
        let store = self.store;
        let (mut after, mut count) = (None, 0);
        loop {
            let listing = match store.export_rows(part, &Page { after, limit: PAGE }).await {
                Ok(listing) => listing,
                Err(error @ Error::Corrupt { .. }) => {
                    let what = format!("{error}; what follows was not read");
                    self.found.add(part.name(), count + 1, what);
                    break;
                }
                Err(error) => return Err(error),
            };
            self.rows(part.name(), &mut count, listing.rows, |row| store.stored(row)).await?;
            let Some(next) = listing.next else { break };
            after = Some(next);
        }
        self.found.rows.insert(part.name().to_owned(), count);
        Ok(())
    }

    /// The rows of an index.
    async fn table<R, F>(
        &mut self,
        name: &str,
        statement: Statement,
        fault: impl Fn(R) -> F + Send + Sync,
    ) -> Result<()>
    where
        R: for<'frame, 'meta> DeserializeRow<'frame, 'meta> + Clone + Send + Sync,
        F: Future<Output = Found> + Send,
    {
        let (mut after, mut count): (Option<Cursor>, u64) = (None, 0);
        loop {
            let page = Page { after, limit: PAGE };
            let listing = self.store.scan(statement, &page, |row: R| Ok(Some(row))).await?;
            self.rows(name, &mut count, listing.rows, &fault).await?;
            let Some(next) = listing.next else { break };
            after = Some(next);
        }
        self.found.rows.insert(name.to_owned(), count);
        Ok(())
    }

    async fn rows<R, F>(
        &mut self,
        name: &str,
        count: &mut u64,
        rows: Vec<R>,
        fault: impl Fn(R) -> F + Send + Sync,
    ) -> Result<()>
    where
        R: Clone + Send + Sync,
        F: Future<Output = Found> + Send,
    {
        let (again, fault) = (&self.again, &fault);
        let looked = for_each(rows, self.store.cluster.settings.fan_out, |row| async move {
            match told(fault(row.clone()).await)? {
                Some(_) if again.fetch_add(1, Ordering::Relaxed) < AGAIN_MAX => {
                    tokio::time::sleep(PAUSE).await;
                    told(fault(row).await)
                }
                found => Ok(found),
            }
        });
        for what in looked.await? {
            *count += 1;
            if let Some(what) = what {
                self.found.add(name, *count, what);
            }
        }
        Ok(())
    }
}

/// What is told of a row. That it can't be read is a fault, that the cluster can't be asked is none.
fn told(found: Found) -> Result<Option<String>> {
    match found {
        Ok(what) => Ok(what.map(str::to_owned)),
        Err(error @ Error::Corrupt { .. }) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}
