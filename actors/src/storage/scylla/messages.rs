//! Messages: the row under the key decides which is kept; the listing is written after it, and again by whoever
//! finds the key used.

use super::Scylla;
use super::calls::{month_of, place_of};
use super::cql::Statement;
use super::listing::{self, Looked, Start};
use super::outcomes::scope;
use crate::storage::ordered::{decode, encode};
use crate::storage::{IdempotencyKey, Listing, Page, Result};
use crate::types::{Message, TenantId};

pub(super) const WHAT: &str = "message";
/// The listing of messages among the buckets.
pub(super) const MESSAGES: i8 = 2;

impl Scylla {
    pub(super) async fn put_message_row(&self, message: &Message, key: &IdempotencyKey) -> Result<Message> {
        let value = encode(WHAT, message)?;
        let by_key = (message.tenant.as_str(), scope(key), key.0.as_str());
        let values = (by_key.0, by_key.1, by_key.2, &value);
        let first =
            self.cluster.keep_first(Statement::KeepMessage, &values, Statement::MessageDecided, &by_key);
        let (kept, value) = match first.await? {
            Some(first) => (decode(WHAT, &first)?, first),
            None => (message.clone(), value),
        };
        self.list_message(&kept, key, value).await?;
        Ok(kept)
    }

    async fn list_message(&self, message: &Message, key: &IdempotencyKey, value: Vec<u8>) -> Result<()> {
        let (tenant, month) = (message.tenant.as_str(), month_of(message.taken_at));
        let place = place_of(message.taken_at, message.id.as_uuid());
        let row =
            self.cluster.write(Statement::PutMessage, (tenant, month, place, key.0.as_str(), value), None);
        let bucket = self.cluster.write(Statement::PutBucket, (tenant, MESSAGES, month), None);
        tokio::try_join!(row, bucket).map(drop)
    }

    pub(super) async fn unlist_message(&self, message: &Message) -> Result<()> {
        let place = place_of(message.taken_at, message.id.as_uuid());
        let values = (message.tenant.as_str(), month_of(message.taken_at), place);
        self.cluster.write(Statement::DropMessage, values, None).await
    }

    pub(super) async fn list_messages(&self, tenant: &TenantId, page: &Page) -> Result<Listing<Message>> {
        listing::fill(page, Start::of(page, i32::MAX)?, |from, most| async move {
            let Some(month) = self.bucket_from(tenant, MESSAGES, from.bucket).await? else {
                return Ok(Looked { rows: Vec::new(), next: None });
            };
            let after = if month == from.bucket { from.place } else { Vec::new() };
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let values = (tenant.as_str(), month, after, rows);
            let found: Vec<(Vec<u8>, Vec<u8>)> = self.cluster.rows(Statement::Messages, values, most).await?;
            let next = match found.last().filter(|_| found.len() >= most) {
                Some((last, _)) => Some(Start { bucket: month, place: last.clone() }),
                None => month.checked_sub(1).map(|bucket| Start { bucket, place: Vec::new() }),
            };
            let row = |(place, value): (Vec<u8>, Vec<u8>)| {
                Ok((Start { bucket: month, place }, decode(WHAT, &value)?))
            };
            Ok(Looked { rows: found.into_iter().map(row).collect::<Result<_>>()?, next })
        })
        .await
    }
}
