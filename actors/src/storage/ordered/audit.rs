//! The audit: a partition per business, by the digest of its id.

use super::key::Key;
use super::listing::list_partition;
use super::value::{decode, encode};
use super::{Direction, Read, Table, Write};
use crate::storage::{AuditEntry, AuditRow, Listing, Page, Result, audit_key};
use crate::types::TenantId;

const WHAT: &str = "audit row";

fn partition(tenant: &TenantId) -> Key {
    Key::new().text(&audit_key(tenant))
}

pub(super) fn append(rows: &mut dyn Write, tenant: &TenantId, entry: &AuditEntry) -> Result<AuditRow> {
    let partition = partition(tenant);
    let newest =
        rows.range(Table::Audit, partition.as_bytes(), &partition.end(), Direction::Forwards, 1)?.pop();
    let newest: Option<AuditRow> = newest.map(|(_, value)| decode(WHAT, &value)).transpose()?;
    let row = AuditRow::after(newest.as_ref(), entry)?;
    // The latest sorts first.
    let key = partition.bytes(&(!row.seq).to_be_bytes());
    rows.put(Table::Audit, key.as_bytes(), &encode(WHAT, &row)?)?;
    Ok(row)
}

pub(super) fn list(rows: &dyn Read, tenant: &TenantId, page: &Page) -> Result<Listing<AuditRow>> {
    list_partition(rows, Table::Audit, &partition(tenant), page, |_, value| decode(WHAT, value))
}
