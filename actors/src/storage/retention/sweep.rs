//! The sweep: calls past their business's time go, oldest first, a bounded number at a time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use metrics::counter;

use super::eraser::{Eraser, Result};
use crate::storage::metrics::SWEEPS;
use crate::storage::{AuditAct, AuditActor, Erased, Erasure, Extent, Page};
use crate::types::Business;

/// Businesses and calls in one look at the store.
const PAGE: usize = 64;
/// How long after it began to run a node sweeps for the first time: it has better things to do at first.
const FIRST_AFTER: Duration = Duration::from_secs(30);

/// What one sweep came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Businesses that had calls past their time.
    pub businesses: u64,
    /// What is gone.
    pub erased: Erased,
    /// Whether there is more than one sweep may erase.
    pub more: bool,
}

/// Sweeps for ever. Ends when it is dropped; a sweep that is cut short is taken up by the next.
pub async fn keep_sweeping(eraser: Eraser) {
    let every = Duration::from_secs(eraser.settings.every_s.max(1));
    tokio::time::sleep(every.min(FIRST_AFTER)).await;
    loop {
        match eraser.sweep().await {
            Ok(swept) => {
                counter!(SWEEPS, "outcome" => "done").increment(1);
                if !swept.erased.is_nothing() {
                    tracing::info!(
                        businesses = swept.businesses,
                        calls = swept.erased.calls,
                        more = swept.more,
                        "calls past their time were erased"
                    );
                }
            }
            Err(error) => {
                counter!(SWEEPS, "outcome" => "failed").increment(1);
                tracing::warn!(%error, "the retention sweep failed; tried again");
            }
        }
        tokio::time::sleep(every).await;
    }
}

impl Eraser {
    /// Erases the conversations of all businesses that are past their time. Appointments stand. Businesses that keep
    /// everything, or must, are left alone.
    ///
    /// # Errors
    /// Those of the store; what was erased by then is gone, and written down.
    pub async fn sweep(&self) -> Result<Swept> {
        let (mut swept, mut page) = (Swept::default(), Page::first(PAGE));
        let mut room = self.settings.calls_max;
        'businesses: loop {
            let listing = self.storage.businesses(page).await?;
            for business in listing.rows {
                let Some(before) = ends(&business, self.clock.now()) else { continue };
                let erased = self.sweep_business(&business, before, &mut room).await?;
                swept.businesses += u64::from(!erased.is_nothing());
                swept.erased += erased;
                if room == 0 {
                    swept.more = true;
                    break 'businesses;
                }
            }
            let Some(next) = listing.next else { break };
            page = Page { after: Some(next), limit: PAGE };
        }
        self.recordings.remove_erased().await?;
        Ok(swept)
    }

    async fn sweep_business(
        &self,
        business: &Business,
        before: Timestamp,
        room: &mut usize,
    ) -> Result<Erased> {
        let (mut all, mut failed) = (Erasure::default(), None);
        let mut after = None;
        'calls: while *room > 0 {
            let page = Page { after, limit: PAGE.min(*room) };
            let listing = self.storage.old_calls(&business.id, before, page).await?;
            for record in listing.rows {
                match self.storage.erase_call(record.id, Extent::Conversation).await {
                    Ok(erasure) => {
                        all.add(erasure);
                        *room = room.saturating_sub(1);
                    }
                    Err(error) => {
                        failed = Some(error);
                        break 'calls;
                    }
                }
            }
            after = listing.next;
            if after.is_none() {
                break;
            }
        }
        if !all.erased.is_nothing() {
            let (by, act) = (AuditActor::Retention, AuditAct::Sweep);
            self.write_down(&business.id, by, act, all.erased, all.live).await?;
        }
        self.forget(&all).await?;
        failed.map_or(Ok(all.erased), |error| Err(error.into()))
    }
}

/// Before when a business's calls began that are past their time; nothing where they are kept.
fn ends(business: &Business, now: Timestamp) -> Option<Timestamp> {
    let policy = &business.policy;
    if policy.retention_days == 0 || policy.legal_hold {
        return None;
    }
    now.checked_sub(SignedDuration::from_hours(i64::from(policy.retention_days) * 24)).ok()
}
