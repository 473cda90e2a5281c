//! The audit: each row takes the next number by comparison.

use metrics::counter;
use uuid::Uuid;

use super::Scylla;
use super::ask::Tried;
use super::cql::{Statement, Use};
use super::failure::{Failure, Meaning};
use super::listing::{self, Looked, Start};
use super::metrics::CONTENTION;
use crate::storage::ordered::{decode, encode};
use crate::storage::{AuditEntry, AuditRow, Listing, Page, Result, audit_key};
use crate::types::TenantId;

pub(super) const WHAT: &str = "audit row";

impl Scylla {
    pub(super) async fn append_audit_row(&self, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
        let business = audit_key(tenant);
        let _turn = self.turn(&business).await?;
        let writer = self.cluster.chance.id(self.cluster.clock.now());
        let business = business.as_str();
        self.cluster.patiently(Use::Compare, || self.try_append(business, writer, entry)).await
    }

    async fn try_append(&self, business: &str, writer: Uuid, entry: &AuditEntry) -> Tried<AuditRow> {
        let newest: Vec<(i64, Uuid, Vec<u8>)> =
            self.cluster.try_rows(Statement::LastAudit, &(business,), 1).await?;
        let newest = newest.into_iter().next();
        let (by, newest) = match newest {
            Some((_, by, value)) => (Some(by), Some(decode::<AuditRow>(WHAT, &value)?)),
            None => (None, None),
        };
        // An earlier try that was in doubt.
        if let Some(row) = newest.clone().filter(|_| by == Some(writer)) {
            return Ok(row);
        }
        let row = AuditRow::after(newest.as_ref(), entry)?;
        let seq = i64::try_from(row.seq).unwrap_or(i64::MAX);
        let values = (business, seq, writer, encode(WHAT, &row)?);
        match self.cluster.compare(Statement::AppendAudit, &values).await {
            Ok(true) => Ok(row),
            Ok(false) => {
                counter!(CONTENTION).increment(1);
                Err(Failure::undone("others append to the audit, too"))
            }
            Err(failure) if failure.meaning == Meaning::Unknown => {
                let there: Vec<(Uuid,)> =
                    self.cluster.try_rows(Statement::AuditDecided, &(business, seq), 1).await?;
                if there.first() == Some(&(writer,)) { Ok(row) } else { Err(failure) }
            }
            Err(failure) => Err(failure),
        }
    }

    /// Takes a row of another store under its own number; whether it is the one that is there then.
    pub(super) async fn import_audit(&self, business: &str, row: &AuditRow) -> Result<bool> {
        let seq = i64::try_from(row.seq).unwrap_or(i64::MAX);
        let writer = self.cluster.chance.id(self.cluster.clock.now());
        let values = (business, seq, writer, encode(WHAT, row)?);
        let append = || self.cluster.compare(Statement::AppendAudit, &values);
        if self.cluster.patiently(Use::Compare, append).await? {
            return Ok(true);
        }
        let stored: Option<(Vec<u8>,)> = self.cluster.row(Statement::AuditRow, (business, seq)).await?;
        Ok(match stored {
            Some((value,)) => decode::<AuditRow>(WHAT, &value)? == *row,
            None => false,
        })
    }

    pub(super) async fn list_audit(&self, tenant: &TenantId, page: &Page) -> Result<Listing<AuditRow>> {
        let business = audit_key(tenant);
        let business = business.as_str();
        listing::fill(page, Start::of(page, 0)?, |from, most| async move {
            let before = match from.place.as_slice() {
                [] => i64::MAX,
                place => i64::from_be_bytes(place.try_into().map_err(|_| listing::wrong_cursor())?),
            };
            let rows = i32::try_from(most).unwrap_or(i32::MAX);
            let values = (business, before, rows);
            let found: Vec<(i64, Vec<u8>)> = self.cluster.rows(Statement::Audit, values, most).await?;
            let start = |seq: i64| Start { bucket: 0, place: seq.to_be_bytes().to_vec() };
            let next = found.last().filter(|_| found.len() >= most).map(|(seq, _)| start(*seq));
            let row = |(seq, value): (i64, Vec<u8>)| Ok((start(seq), decode(WHAT, &value)?));
            Ok(Looked { rows: found.into_iter().map(row).collect::<Result<_>>()?, next })
        })
        .await
    }
}
