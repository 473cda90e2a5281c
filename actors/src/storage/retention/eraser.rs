//! Erasing on request.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Index, Settings};
use crate::clock::Clock;
use crate::storage::metrics::ERASED_ROWS;
use crate::storage::recordings::Recordings;
use crate::storage::{
    self, AuditAct, AuditActor, AuditEntry, Cursor, Erased, Erasure, Extent, Page, Storage, recordings,
};
use crate::types::{CallId, PhoneNumber, Private, TenantId};

/// Why nothing was erased, or not all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such call.
    #[error("there is no such call")]
    NotFound,
    /// The business must keep everything for now.
    #[error("{tenant} is under legal hold: nothing of it is erased; lift that in the business's file first")]
    Held {
        /// Which business.
        tenant: TenantId,
    },
    /// The number is one of the business's, so that every call mentions it.
    #[error("that number is one of {tenant}'s own; name the caller's")]
    OwnNumber {
        /// Which business.
        tenant: TenantId,
    },
    /// The store failed; what was erased by then is gone, the rest is as it was. Ask again.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The recordings failed. Ask again.
    #[error(transparent)]
    Recordings(#[from] recordings::Error),
    /// The rows are gone, and the search index still has words of them.
    #[error("the store has erased it, but the search index has not: {why}; run: strowger calls reindex")]
    Index {
        /// Why.
        why: String,
    },
}

/// An eraser's answer.
pub type Result<T> = std::result::Result<T, Error>;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What is gone, and where to go on.
    pub erasure: Erasure,
    /// Recordings whose objects could not be removed yet. They can't be opened any more, and removing them is tried
    /// again.
    pub objects_left: u64,
}

/// Erases, and writes it down.
#[derive(Clone)]
pub struct Eraser {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) recordings: Recordings,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) index: Option<Arc<dyn Index>>,
}

impl Eraser {
    /// An eraser of this store and these recordings.
    #[must_use]
    pub const fn new(
        storage: Arc<dyn Storage>,
        recordings: Recordings,
        settings: Settings,
        clock: Clock,
    ) -> Self {
        Self { storage, recordings, settings, clock, index: None }
    }

    /// The same, and an index is told what is gone.
    #[must_use]
    pub fn with_index(self, index: Option<Arc<dyn Index>>) -> Self {
        Self { index, ..self }
    }

    /// Erases a call with everything that it left behind.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Held`], and those of the store.
    pub async fn erase_call(&self, call: CallId) -> Result<Done> {
        let record = self.storage.call(call).await?.ok_or(Error::NotFound)?;
        self.check_hold(&record.tenant).await?;
        let erasure = self.storage.erase_call(call, Extent::Everything).await?;
        self.finish(&record.tenant, AuditAct::EraseCall, erasure).await
    }

    /// Erases a caller from a business, as far as it comes in a bounded time. `after` is where the last request
    /// ended.
    ///
    /// # Errors
    /// [`Error::Held`], [`Error::OwnNumber`], and those of the store.
    pub async fn erase_caller(
        &self,
        tenant: &TenantId,
        caller: &Private<PhoneNumber>,
        after: Option<Cursor>,
    ) -> Result<Done> {
        self.check_hold(tenant).await?;
        if let Some(business) = self.storage.business(tenant).await?
            && business.numbers.iter().any(|own| own.reaches_same_line(caller.reveal()))
        {
            return Err(Error::OwnNumber { tenant: tenant.clone() });
        }
        let until = self.until();
        let mut erasure = Erasure { next: after, ..Erasure::default() };
        loop {
            erasure.add(self.storage.erase_caller(tenant, caller, erasure.next.clone()).await?);
            if erasure.next.is_none() || Instant::now() >= until {
                return self.finish(tenant, AuditAct::EraseCaller, erasure).await;
            }
        }
    }

    /// Erases a business, as far as it comes in a bounded time. `after` is where the last request ended.
    ///
    /// # Errors
    /// [`Error::Held`], and those of the store.
    pub async fn erase_tenant(&self, tenant: &TenantId, after: Option<Cursor>) -> Result<Done> {
        self.check_hold(tenant).await?;
        let until = self.until();
        let mut erasure = Erasure { next: after, ..Erasure::default() };
        loop {
            erasure.add(self.storage.erase_tenant(tenant, erasure.next.clone()).await?);
            if erasure.next.is_none() || Instant::now() >= until {
                break;
            }
        }
        self.recordings.forget_key(tenant);
        if let Some(index) = &self.index {
            index.forget_business(tenant).await.map_err(|why| Error::Index { why })?;
        }
        self.finish(tenant, AuditAct::EraseTenant, erasure).await
    }

    fn until(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.settings.work_ms)
    }

    async fn check_hold(&self, tenant: &TenantId) -> Result<()> {
        match self.storage.business(tenant).await? {
            Some(business) if business.policy.legal_hold => Err(Error::Held { tenant: tenant.clone() }),
            _ => Ok(()),
        }
    }

    /// Writes down what was done, and removes the objects of what was erased.
    async fn finish(&self, tenant: &TenantId, act: AuditAct, erasure: Erasure) -> Result<Done> {
        self.write_down(tenant, AuditActor::Operator, act, erasure.erased, erasure.live).await?;
        if let Err(error) = self.recordings.remove_erased().await {
            tracing::warn!(%error, "objects of erased recordings could not be removed; tried again");
        }
        self.forget(&erasure).await?;
        let left = self.storage.removals(Page::first(1_000)).await?.rows;
        let objects_left = left.iter().filter(|removal| removal.tenant == *tenant).count() as u64;
        Ok(Done { erasure, objects_left })
    }

    /// Has the index forget the calls of an erasure.
    pub(super) async fn forget(&self, erasure: &Erasure) -> Result<()> {
        match &self.index {
            Some(index) if !erasure.calls.is_empty() => {
                index.forget_calls(erasure.calls.clone()).await.map_err(|why| Error::Index { why })
            }
            _ => Ok(()),
        }
    }

    /// An audit row; each request has one, so that none is missing where a process died between two.
    pub(super) async fn write_down(
        &self,
        tenant: &TenantId,
        by: AuditActor,
        act: AuditAct,
        erased: Erased,
        live: u64,
    ) -> Result<()> {
        let other = erased.events + erased.outcomes + erased.checkpoints + erased.businesses + erased.keys;
        for (kind, count) in [
            ("call", erased.calls),
            ("recording", erased.recordings),
            ("booking", erased.bookings),
            ("message", erased.messages),
            ("other", other),
        ] {
            counter!(ERASED_ROWS, "kind" => kind).increment(count);
        }
        let entry = AuditEntry { at: self.clock.now(), by, act, erased, live };
        self.storage.append_audit(tenant, &entry).await?;
        Ok(())
    }
}

impl std::fmt::Debug for Eraser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Eraser").field("settings", &self.settings).finish_non_exhaustive()
    }
}
