//! Erasing what no listing names: rows whose process died between them and their entries, or whose entries were
//! lost. Whole tables are looked at for it, of all businesses, a page per step, once all else is gone.

use uuid::Uuid;

use super::Scylla;
use super::calls::{day_of, place};
use super::cql::Statement;
use super::messages;
use crate::storage::ordered::decode;
use crate::storage::{Cursor, Erased, Erasure, Extent, IdempotencyKey, Page, Result};
use crate::types::{CallId, Message, TenantId};

/// Rows that one step looks at.
const ROWS_PER_STEP: usize = 1_000;

impl Scylla {
    /// Messages that are there under their keys only.
    pub(super) async fn erase_unlisted_messages(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
    ) -> Result<(Erased, Option<Cursor>)> {
        let page = Page { after, limit: ROWS_PER_STEP };
        let found = self
            .scan(Statement::AllMessageKeys, &page, |(of, key, value): (String, String, Vec<u8>)| {
                let own = (of == tenant.as_str()).then(|| decode::<Message>(messages::WHAT, &value));
                Ok(own.transpose()?.map(|message| (IdempotencyKey(key), message)))
            })
            .await?;
        let mut erased = Erased::default();
        for (key, message) in found.rows {
            erased.messages += u64::from(self.erase_message(&message, &key).await?);
        }
        Ok((erased, found.next))
    }

    /// Calls that no day lists.
    pub(super) async fn erase_unlisted_calls(
        &self,
        tenant: &TenantId,
        after: Option<Cursor>,
    ) -> Result<(Erasure, Option<Cursor>)> {
        let page = Page { after, limit: ROWS_PER_STEP };
        let found = self
            .scan(Statement::AllCallTenants, &page, |(call, of): (Uuid, Option<String>)| {
                Ok((of.as_deref() == Some(tenant.as_str())).then(|| CallId::new(call)))
            })
            .await?;
        let mut erasure = Erasure::default();
        for call in found.rows {
            let mut erased = self.erase_call_rows(call, Extent::Everything).await?;
            if erased.live > 0 && self.is_listed(tenant, call).await? {
                // It was counted where it is listed.
                erased.live = 0;
            }
            erasure.add(erased);
        }
        Ok((erasure, found.next))
    }

    async fn is_listed(&self, tenant: &TenantId, call: CallId) -> Result<bool> {
        let Some(record) = self.call_row(call).await? else { return Ok(false) };
        let key = (tenant.as_str(), day_of(record.started_at), place(&record));
        let there: Option<(Vec<u8>,)> = self.cluster.row(Statement::CallByDay, key).await?;
        Ok(there.is_some())
    }
}
