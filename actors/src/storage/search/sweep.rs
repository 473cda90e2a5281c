//! The indexer's walk over the store for calls that no notice came of: of the time before it started, of a full
//! queue, of another node.

use std::time::Duration;

use super::indexer::Indexer;
use super::{Error, Result};
use crate::clock::ms;
use crate::storage::{self, Page};

impl Indexer {
    /// Begins a sweep or goes on with one, by one page.
    pub(super) fn sweep_when_due(&mut self) {
        let now = self.clock.monotonic();
        if now < self.work.sweep_at || self.work.open.is_none() {
            return;
        }
        match self.begin().and_then(|()| self.sweep_page()) {
            Ok(false) => {}
            Ok(true) => self.finish(),
            Err(Error::Storage(error)) => {
                // A place that the store does not know any more is worth nothing.
                self.work.sweep_anew |= matches!(error, storage::Error::Corrupt { .. });
                self.store_failed(&error);
                self.work.sweep_at = now + ms(self.settings.retry_ms);
            }
            Err(error) => self.fail(&error),
        }
    }

    fn begin(&mut self) -> Result<()> {
        let anew = std::mem::take(&mut self.work.sweep_anew);
        let Some(open) = &mut self.work.open else { return Ok(()) };
        if anew {
            open.index.progress.sweep = None;
        }
        if open.index.progress.sweep.is_none() {
            // What is indexed is known by the last commit.
            self.commit()?;
            let (now, late) = (self.clock.now(), Duration::from_secs(self.settings.late_s));
            if let Some(open) = &mut self.work.open {
                open.index.progress.begin(now, late);
            }
        }
        Ok(())
    }

    fn finish(&mut self) {
        if let Some(open) = &mut self.work.open {
            open.index.progress.finish();
        }
        let again = std::mem::take(&mut self.work.sweep_again);
        let next =
            if again { ms(self.settings.retry_ms) } else { Duration::from_secs(self.settings.sweep_s) };
        self.work.sweep_at = self.clock.monotonic() + next;
        match self.commit() {
            // Who has asked may have gone.
            Ok(()) => {
                for answer in self.work.settling.drain(..) {
                    let _ = answer.send(());
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Reads the next business, or the next page of a business's calls. Whether all are read.
    fn sweep_page(&mut self) -> Result<bool> {
        let Some(mut sweep) = self.work.open.as_ref().and_then(|open| open.index.progress.sweep.clone())
        else {
            return Ok(true);
        };
        let Some(tenant) = sweep.tenant.clone() else {
            if sweep.last {
                return Ok(true);
            }
            let page = Page { after: sweep.tenants_after.take(), limit: 1 };
            let mut listing = self.read(|storage| async move { storage.businesses(page).await })?;
            let Some(business) = listing.rows.pop() else { return Ok(true) };
            (sweep.tenant, sweep.calls_after) = (Some(business.id), None);
            (sweep.last, sweep.tenants_after) = (listing.next.is_none(), listing.next);
            self.keep(sweep);
            return Ok(false);
        };
        let page = Page { after: sweep.calls_after.take(), limit: self.settings.page_calls.max(1) };
        let listing = self.read(|storage| async move { storage.calls(&tenant, page).await })?;
        sweep.calls_after = listing.next;
        let mut over = sweep.calls_after.is_none();
        for record in listing.rows {
            if record.started_at < sweep.back_to {
                over = true;
                break;
            }
            if record.ended_at.is_none() {
                sweep.stop_before(record.started_at);
            } else if !self.has(record.id)? {
                self.add(&record)?;
            }
        }
        if over {
            (sweep.tenant, sweep.calls_after) = (None, None);
        }
        self.keep(sweep);
        Ok(false)
    }

    fn keep(&mut self, sweep: super::progress::Sweep) {
        if let Some(open) = &mut self.work.open {
            open.index.progress.sweep = Some(sweep);
        }
    }
}
