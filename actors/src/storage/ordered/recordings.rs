//! What is known of recordings, and the sealed keys of businesses.

use super::key::Key;
use super::value::{decode, encode};
use super::{Read, Table, Write};
use crate::storage::{Recording, Result};
use crate::types::{RecordingId, TenantId};

pub(super) const WHAT: &str = "recording";

pub(super) fn put(rows: &mut dyn Write, recording: &Recording) -> Result<()> {
    let key = Key::new().uuid(recording.id.as_uuid());
    rows.put(Table::Recordings, key.as_bytes(), &encode(WHAT, recording)?)
}

pub(super) fn get(rows: &dyn Read, recording: RecordingId) -> Result<Option<Recording>> {
    stored(rows, recording)
}

pub(super) fn stored(rows: &(impl Read + ?Sized), recording: RecordingId) -> Result<Option<Recording>> {
    rows.get(Table::Recordings, Key::new().uuid(recording.as_uuid()).as_bytes())?
        .map(|value| decode(WHAT, &value))
        .transpose()
}

pub(super) fn keep_key(rows: &mut dyn Write, tenant: &TenantId, sealed: Vec<u8>) -> Result<Vec<u8>> {
    if let Some(first) = key(rows, tenant)? {
        return Ok(first);
    }
    rows.put(Table::Keys, Key::new().text(tenant.as_str()).as_bytes(), &sealed)?;
    Ok(sealed)
}

pub(super) fn key(rows: &(impl Read + ?Sized), tenant: &TenantId) -> Result<Option<Vec<u8>>> {
    rows.get(Table::Keys, Key::new().text(tenant.as_str()).as_bytes())
}
