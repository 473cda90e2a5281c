//! The businesses' sealed keys.

use super::Scylla;
use super::ask::Tried;
use super::cql::{Statement, Use};
use super::failure::Meaning;
use crate::storage::{Error, Listing, Page, Result, SealedKey};
use crate::types::TenantId;

/// The fact's name.
pub(super) const SEALED_KEY: &str = "key of recordings";

impl Scylla {
    pub(super) async fn keep_sealed_key(&self, tenant: &TenantId, sealed: &[u8]) -> Result<Vec<u8>> {
        let by_tenant = (tenant.as_str(), SEALED_KEY);
        let values = (by_tenant.0, by_tenant.1, sealed);
        let first = self.cluster.keep_first(Statement::KeepFact, &values, Statement::FactDecided, &by_tenant);
        Ok(first.await?.unwrap_or_else(|| sealed.to_vec()))
    }

    pub(super) async fn sealed_key(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>> {
        let row: Option<(Option<Vec<u8>>,)> =
            self.cluster.row(Statement::Fact, (tenant.as_str(), SEALED_KEY)).await?;
        Ok(row.and_then(|(value,)| value))
    }

    pub(super) async fn list_keys(&self, page: &Page) -> Result<Listing<SealedKey>> {
        self.scan(Statement::AllFacts, page, |(tenant, fact, value): (String, String, Option<Vec<u8>>)| {
            let sealed = value.filter(|_| fact == SEALED_KEY);
            Ok(sealed.map(|sealed| SealedKey { tenant: TenantId::new(tenant), sealed }))
        })
        .await
    }

    pub(super) async fn replace_sealed_key(
        &self,
        tenant: &TenantId,
        expected: &[u8],
        sealed: &[u8],
    ) -> Result<()> {
        let values = (sealed, tenant.as_str(), SEALED_KEY, expected);
        let replaced = self
            .cluster
            .patiently(Use::Compare, || async {
                match self.cluster.compare(Statement::ReplaceFact, &values).await {
                    Err(failure) if failure.meaning == Meaning::Unknown => {
                        match self.decided_key(tenant).await? {
                            Some(there) if there == sealed => Ok(true),
                            Some(there) if there == expected => Err(failure),
                            _ => Ok(false),
                        }
                    }
                    answer => answer,
                }
            })
            .await?;
        if replaced { Ok(()) } else { Err(Error::Conflict { what: "business's key" }) }
    }

    async fn decided_key(&self, tenant: &TenantId) -> Tried<Option<Vec<u8>>> {
        let key = (tenant.as_str(), SEALED_KEY);
        let rows: Vec<(Option<Vec<u8>>,)> = self.cluster.try_rows(Statement::FactDecided, &key, 1).await?;
        Ok(rows.into_iter().next().and_then(|(value,)| value))
    }

    pub(super) async fn drop_sealed_key(&self, tenant: &TenantId) -> Result<bool> {
        self.drop_for_sure(Statement::DropFact, (tenant.as_str(), SEALED_KEY)).await
    }

    /// Deletes a row where it exists; whether it did. What may have been deleted by an earlier try counts.
    pub(super) async fn drop_for_sure(
        &self,
        statement: Statement,
        key: impl scylla::serialize::row::SerializeRow + Sync,
    ) -> Result<bool> {
        let (key, doubt) = (&key, std::sync::atomic::AtomicBool::new(false));
        let doubt = &doubt;
        self.cluster
            .patiently(Use::Compare, || async move {
                use std::sync::atomic::Ordering::Relaxed;
                let dropped: Tried<bool> = self.cluster.compare(statement, key).await;
                let dropped = dropped.inspect_err(|failure| {
                    doubt.fetch_or(failure.meaning == Meaning::Unknown, Relaxed);
                });
                dropped.map(|dropped| dropped || doubt.load(Relaxed))
            })
            .await
    }
}
