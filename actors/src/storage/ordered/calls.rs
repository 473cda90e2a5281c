//! Calls, their events, and the state of those that go on.

use jiff::Timestamp;

use super::key::Key;
use super::listing::{list_backwards, list_partition};
use super::value::{bound, decode, encode};
use super::{Direction, Read, Row, Table, Write};
use crate::storage::{Claim, Error, Fence, HOLDER, Listing, Page, Result};
use crate::types::{CallEvent, CallId, CallRecord, Holder, Life, PhoneNumber, TenantId};

pub(super) const WHAT: &str = "call";
pub(super) const EVENT: &str = "call event";
pub(super) const CHECKPOINT: &str = "checkpoint";

fn key(record: &CallRecord) -> Key {
    Key::new().text(record.tenant.as_str()).time_descending(record.started_at).uuid(record.id.as_uuid())
}

fn id_key(call: CallId) -> Key {
    Key::new().uuid(call.as_uuid())
}

fn caller_partition(tenant: &TenantId, caller: &PhoneNumber) -> Key {
    Key::new().text(tenant.as_str()).text(caller.as_str())
}

fn caller_key(record: &CallRecord) -> Option<Key> {
    let caller = record.caller.as_ref()?;
    Some(
        caller_partition(&record.tenant, caller.reveal())
            .time_descending(record.started_at)
            .uuid(record.id.as_uuid()),
    )
}

/// Where a call's row and its index entries lie.
pub(super) struct Places {
    pub(super) own: Vec<u8>,
    pub(super) by_id: Vec<u8>,
    pub(super) by_caller: Option<Vec<u8>>,
}

pub(super) fn places(record: &CallRecord) -> Places {
    let bytes = |key: Key| key.as_bytes().to_vec();
    Places {
        own: bytes(key(record)),
        by_id: bytes(id_key(record.id)),
        by_caller: caller_key(record).map(bytes),
    }
}

/// The row in a place that an index names.
pub(super) fn at_place(rows: &dyn Read, place: &[u8]) -> Result<Option<CallRecord>> {
    row_at(rows, place)
}

pub(super) fn put(rows: &mut dyn Write, record: &CallRecord) -> Result<()> {
    let value = encode(WHAT, record)?;
    let (key, id) = (key(record), id_key(record.id));
    let before = rows.get(Table::CallsById, id.as_bytes())?;
    let known = before.as_deref() == Some(key.as_bytes());
    let old = match &before {
        Some(place) => row_at(rows, place)?,
        None => None,
    };
    if old.as_ref().is_some_and(|old| !old.yields_to(record)) {
        return Err(Error::Conflict { what: HOLDER });
    }
    if let Some(old) = &old {
        if !known {
            rows.remove(Table::Calls, before.as_deref().unwrap_or_default())?;
        }
        if let Some(gone) = caller_key(old).filter(|_| !known || old.caller != record.caller) {
            rows.remove(Table::CallsByCaller, gone.as_bytes())?;
        }
    }
    rows.put(Table::Calls, key.as_bytes(), &value)?;
    if !known {
        rows.put(Table::CallsById, id.as_bytes(), key.as_bytes())?;
    }
    if let Some(caller) = caller_key(record)
        && (!known || old.as_ref().is_none_or(|old| old.caller != record.caller))
    {
        rows.put(Table::CallsByCaller, caller.as_bytes(), key.as_bytes())?;
    }
    if record.ended_at.is_none() {
        rows.put(Table::OpenCalls, id.as_bytes(), key.as_bytes())
    } else if old.is_some_and(|old| old.ended_at.is_none()) {
        rows.remove(Table::OpenCalls, id.as_bytes())
    } else {
        Ok(())
    }
}

/// Gives a call that goes on to another process.
pub(super) fn claim(rows: &mut dyn Write, call: CallId, from: Option<&Life>, to: &Life) -> Result<Claim> {
    let Some(mut record) = get(rows, call)?.filter(|record| record.ended_at.is_none()) else {
        return Ok(Claim::Over);
    };
    let held = record.held_by.as_ref().map(|holder| &holder.life);
    if held != Some(to) {
        if held != from {
            return Ok(Claim::Held(record.held_by));
        }
        let claim = record.claim().saturating_add(1);
        record.held_by = Some(Holder { life: to.clone(), claim });
        put(rows, &record)?;
    }
    Ok(Claim::Granted(Box::new(record)))
}

fn row_at(rows: &(impl Read + ?Sized), place: &[u8]) -> Result<Option<CallRecord>> {
    rows.get(Table::Calls, place)?.map(|value| decode(WHAT, &value)).transpose()
}

/// The row that an index names.
fn named(rows: &(impl Read + ?Sized), place: &[u8]) -> Result<CallRecord> {
    row_at(rows, place)?.ok_or_else(|| Error::Corrupt {
        what: WHAT,
        why: "an index names a row that is not there".to_owned(),
    })
}

pub(super) fn get(rows: &(impl Read + ?Sized), call: CallId) -> Result<Option<CallRecord>> {
    rows.get(Table::CallsById, id_key(call).as_bytes())?.map(|place| named(rows, &place)).transpose()
}

pub(super) fn list(rows: &dyn Read, tenant: &TenantId, page: &Page) -> Result<Listing<CallRecord>> {
    let partition = Key::new().text(tenant.as_str());
    list_partition(rows, Table::Calls, &partition, page, |_, value| decode(WHAT, value))
}

pub(super) fn list_by_caller(
    rows: &dyn Read,
    tenant: &TenantId,
    caller: &PhoneNumber,
    page: &Page,
) -> Result<Listing<CallRecord>> {
    let partition = caller_partition(tenant, caller);
    list_partition(rows, Table::CallsByCaller, &partition, page, |_, place| named(rows, place))
}

/// Oldest first: the same rows from the other end.
pub(super) fn list_old(
    rows: &dyn Read,
    tenant: &TenantId,
    before: Timestamp,
    page: &Page,
) -> Result<Listing<CallRecord>> {
    let partition = Key::new().text(tenant.as_str());
    // Later times sort first, so that those before it sort after all that begin with it.
    let newest = partition.clone().time_descending(before).end();
    list_backwards(rows, Table::Calls, &partition, &newest, page, |_, value| decode(WHAT, value))
}

/// Reads a record as it is kept.
pub(super) fn read(value: &[u8]) -> Result<CallRecord> {
    decode(WHAT, value)
}

/// Reads an event as it is kept.
pub(super) fn read_event(value: &[u8]) -> Result<CallEvent> {
    decode(EVENT, value)
}

/// Removes a call's record and index entries.
pub(super) fn erase(rows: &mut dyn Write, record: &CallRecord) -> Result<()> {
    let id = id_key(record.id);
    rows.remove(Table::OpenCalls, id.as_bytes())?;
    if let Some(caller) = caller_key(record) {
        rows.remove(Table::CallsByCaller, caller.as_bytes())?;
    }
    rows.remove(Table::CallsById, id.as_bytes())?;
    rows.remove(Table::Calls, key(record).as_bytes())
}

/// Removes at most `limit` of a call's events; how many those were.
pub(super) fn erase_events(rows: &mut dyn Write, call: CallId, limit: usize) -> Result<usize> {
    let partition = id_key(call);
    let found =
        rows.range(Table::Events, partition.as_bytes(), &partition.end(), Direction::Forwards, limit)?;
    for (key, _) in &found {
        rows.remove(Table::Events, key)?;
    }
    Ok(found.len())
}

/// A call's events as they are kept.
pub(super) fn raw_events(rows: &(impl Read + ?Sized), call: CallId) -> Result<Vec<Row>> {
    let partition = id_key(call);
    rows.range(Table::Events, partition.as_bytes(), &partition.end(), Direction::Forwards, usize::MAX)
}

pub(super) fn list_open(rows: &dyn Read, page: &Page) -> Result<Listing<CallRecord>> {
    list_partition(rows, Table::OpenCalls, &Key::new(), page, |_, place| named(rows, place))
}

pub(super) fn append(rows: &mut dyn Write, call: CallId, events: &[CallEvent]) -> Result<()> {
    let values: Vec<(Key, Vec<u8>)> = events
        .iter()
        .map(|event| Ok((id_key(call).number(event.seq), encode(EVENT, event)?)))
        .collect::<Result<_>>()?;
    for (key, value) in values {
        if rows.get(Table::Events, key.as_bytes())?.is_none() {
            rows.put(Table::Events, key.as_bytes(), &value)?;
        }
    }
    Ok(())
}

/// One event.
pub(super) fn event(rows: &(impl Read + ?Sized), call: CallId, seq: u32) -> Result<Option<CallEvent>> {
    let key = id_key(call).number(seq);
    rows.get(Table::Events, key.as_bytes())?.map(|value| decode(EVENT, &value)).transpose()
}

pub(super) fn events(rows: &(impl Read + ?Sized), call: CallId) -> Result<Vec<CallEvent>> {
    raw_events(rows, call)?.iter().map(|(_, value)| decode(EVENT, value)).collect()
}

/// Keeps a state, unless the call was claimed later.
pub(super) fn put_checkpoint(rows: &mut dyn Write, call: CallId, fence: Fence, state: Vec<u8>) -> Result<()> {
    if is_lost(rows, call, fence)? { Ok(()) } else { keep_checkpoint(rows, call, state) }
}

/// Keeps a state, whoever has the call.
pub(super) fn keep_checkpoint(rows: &mut dyn Write, call: CallId, state: Vec<u8>) -> Result<()> {
    rows.put(Table::Checkpoints, id_key(call).as_bytes(), &bound(CHECKPOINT, state)?)
}

/// Whether a later claim has the call.
fn is_lost(rows: &(impl Read + ?Sized), call: CallId, fence: Fence) -> Result<bool> {
    Ok(get(rows, call)?.is_some_and(|record| record.claim() > fence.claim))
}

pub(super) fn checkpoint(rows: &(impl Read + ?Sized), call: CallId) -> Result<Option<Vec<u8>>> {
    rows.get(Table::Checkpoints, id_key(call).as_bytes())
}

/// Forgets a state, unless the call was claimed later.
pub(super) fn drop_checkpoint(rows: &mut dyn Write, call: CallId, fence: Fence) -> Result<()> {
    if is_lost(rows, call, fence)? { Ok(()) } else { erase_checkpoint(rows, call) }
}

/// Forgets a state, whoever has the call.
pub(super) fn erase_checkpoint(rows: &mut dyn Write, call: CallId) -> Result<()> {
    rows.remove(Table::Checkpoints, id_key(call).as_bytes())
}
