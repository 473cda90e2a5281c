//! What is known of recordings, what must go of them, and the sealed keys of businesses.

use super::key::Key;
use super::listing::list_partition;
use super::value::{decode, encode};
use super::{Read, Table, Write};
use crate::storage::{Error, Listing, Page, Recording, Removal, Result, SealedKey};
use crate::types::{RecordingId, TenantId};

pub(super) const WHAT: &str = "recording";
const REMOVAL: &str = "removal";
pub(super) const KEY: &str = "business's key";

fn id_key(recording: RecordingId) -> Key {
    Key::new().uuid(recording.as_uuid())
}

fn tenant_key(tenant: &TenantId, recording: RecordingId) -> Key {
    Key::new().text(tenant.as_str()).uuid(recording.as_uuid())
}

pub(super) fn put(rows: &mut dyn Write, recording: &Recording) -> Result<()> {
    let id = id_key(recording.id);
    let value = encode(WHAT, recording)?;
    let before = get(rows, recording.id)?;
    rows.put(Table::Recordings, id.as_bytes(), &value)?;
    let mine = tenant_key(&recording.tenant, recording.id);
    rows.put(Table::RecordingsByTenant, mine.as_bytes(), &[])?;
    if recording.to_merge() {
        rows.put(Table::RecordingsToMerge, id.as_bytes(), &[])
    } else if before.is_some_and(|before| before.to_merge()) {
        rows.remove(Table::RecordingsToMerge, id.as_bytes())
    } else {
        Ok(())
    }
}

pub(super) fn update(rows: &mut dyn Write, recording: &Recording) -> Result<bool> {
    if get(rows, recording.id)?.is_none() {
        return Ok(false);
    }
    put(rows, recording).map(|()| true)
}

pub(super) fn get(rows: &(impl Read + ?Sized), recording: RecordingId) -> Result<Option<Recording>> {
    rows.get(Table::Recordings, id_key(recording).as_bytes())?.map(|value| decode(WHAT, &value)).transpose()
}

pub(super) fn list_to_merge(rows: &dyn Read, page: &Page) -> Result<Listing<Recording>> {
    list_partition(rows, Table::RecordingsToMerge, &Key::new(), page, |key, _| {
        let row = rows.get(Table::Recordings, key)?.ok_or_else(|| Error::Corrupt {
            what: WHAT,
            why: "an index names a row that is not there".to_owned(),
        })?;
        decode(WHAT, &row)
    })
}

/// Puts a removal in the place of a recording's row. Whether there was one.
pub(super) fn erase(rows: &mut dyn Write, recording: RecordingId) -> Result<bool> {
    let Some(row) = get(rows, recording)? else { return Ok(false) };
    let (id, mine) = (id_key(recording), tenant_key(&row.tenant, recording));
    let removal = encode(REMOVAL, &Removal { recording, tenant: row.tenant })?;
    rows.put(Table::Removals, id.as_bytes(), &removal)?;
    rows.remove(Table::RecordingsToMerge, id.as_bytes())?;
    rows.remove(Table::RecordingsByTenant, mine.as_bytes())?;
    rows.remove(Table::Recordings, id.as_bytes())?;
    Ok(true)
}

pub(super) fn removals(rows: &dyn Read, page: &Page) -> Result<Listing<Removal>> {
    list_partition(rows, Table::Removals, &Key::new(), page, |_, value| decode(REMOVAL, value))
}

pub(super) fn forget_removal(rows: &mut dyn Write, recording: RecordingId) -> Result<()> {
    rows.remove(Table::Removals, id_key(recording).as_bytes())
}

fn key_key(tenant: &TenantId) -> Key {
    Key::new().text(tenant.as_str())
}

pub(super) fn keep_key(rows: &mut dyn Write, tenant: &TenantId, sealed: Vec<u8>) -> Result<Vec<u8>> {
    if let Some(first) = key(rows, tenant)? {
        return Ok(first);
    }
    rows.put(Table::Keys, key_key(tenant).as_bytes(), &sealed)?;
    Ok(sealed)
}

pub(super) fn key(rows: &(impl Read + ?Sized), tenant: &TenantId) -> Result<Option<Vec<u8>>> {
    rows.get(Table::Keys, key_key(tenant).as_bytes())
}

pub(super) fn keys(rows: &dyn Read, page: &Page) -> Result<Listing<SealedKey>> {
    list_partition(rows, Table::Keys, &Key::new(), page, |key, value| {
        let tenant = Key::read_text(key)
            .ok_or_else(|| Error::Corrupt { what: KEY, why: "it does not say whose it is".to_owned() })?;
        Ok(SealedKey { tenant: TenantId::new(tenant), sealed: value.to_vec() })
    })
}

pub(super) fn replace_key(
    rows: &mut dyn Write,
    tenant: &TenantId,
    expected: &[u8],
    sealed: &[u8],
) -> Result<()> {
    if key(rows, tenant)?.as_deref() != Some(expected) {
        return Err(Error::Conflict { what: KEY });
    }
    rows.put(Table::Keys, key_key(tenant).as_bytes(), sealed)
}

pub(super) fn drop_key(rows: &mut dyn Write, tenant: &TenantId) -> Result<bool> {
    let known = key(rows, tenant)?.is_some();
    rows.remove(Table::Keys, key_key(tenant).as_bytes())?;
    Ok(known)
}
