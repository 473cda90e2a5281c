//! Messages, and what tool calls came to: each once per key.

use super::key::Key;
use super::listing::list_partition;
use super::value::{decode, encode};
use super::{Direction, Read, Table, Write};
use crate::storage::{Error, IdempotencyKey, Listing, Page, Result};
use crate::types::{Message, TenantId, ToolOutcome};

pub(super) const MESSAGE: &str = "message";
pub(super) const OUTCOME: &str = "tool outcome";
const PROBE: &str = "probe";

pub(super) fn put_message(
    rows: &mut dyn Write,
    message: &Message,
    idempotency: &IdempotencyKey,
) -> Result<Message> {
    let by_key = Key::new().text(message.tenant.as_str()).text(&idempotency.0);
    if let Some(first) = rows.get(Table::MessagesByKey, by_key.as_bytes())? {
        return decode(MESSAGE, &first);
    }
    let value = encode(MESSAGE, message)?;
    rows.put(Table::Messages, place_of(message).as_bytes(), &value)?;
    rows.put(Table::MessagesByKey, by_key.as_bytes(), &value)?;
    Ok(message.clone())
}

fn place_of(message: &Message) -> Key {
    Key::new().text(message.tenant.as_str()).time_descending(message.taken_at).uuid(message.id.as_uuid())
}

/// Removes the messages under keys that begin with this; how many there were.
pub(super) fn erase_messages(rows: &mut dyn Write, start: &Key) -> Result<u64> {
    let found =
        rows.range(Table::MessagesByKey, start.as_bytes(), &start.end(), Direction::Forwards, usize::MAX)?;
    for (key, value) in &found {
        let message: Message = decode(MESSAGE, value)?;
        rows.remove(Table::Messages, place_of(&message).as_bytes())?;
        rows.remove(Table::MessagesByKey, key)?;
    }
    Ok(found.len() as u64)
}

/// Forgets the outcomes under keys that begin with this; how many there were.
pub(super) fn erase_outcomes(rows: &mut dyn Write, start: &str) -> Result<u64> {
    let start = Key::new().text_start(start);
    let found =
        rows.range(Table::Outcomes, start.as_bytes(), &start.end(), Direction::Forwards, usize::MAX)?;
    for (key, _) in &found {
        rows.remove(Table::Outcomes, key)?;
    }
    Ok(found.len() as u64)
}

pub(super) fn messages(rows: &dyn Read, tenant: &TenantId, page: &Page) -> Result<Listing<Message>> {
    let partition = Key::new().text(tenant.as_str());
    list_partition(rows, Table::Messages, &partition, page, |_, value| decode(MESSAGE, value))
}

pub(super) fn remember(
    rows: &mut dyn Write,
    idempotency: &IdempotencyKey,
    outcome: &ToolOutcome,
) -> Result<ToolOutcome> {
    if let Some(first) = recall(rows, idempotency)? {
        return Ok(first);
    }
    rows.put(Table::Outcomes, Key::new().text(&idempotency.0).as_bytes(), &encode(OUTCOME, outcome)?)?;
    Ok(outcome.clone())
}

pub(super) fn recall(
    rows: &(impl Read + ?Sized),
    idempotency: &IdempotencyKey,
) -> Result<Option<ToolOutcome>> {
    rows.get(Table::Outcomes, Key::new().text(&idempotency.0).as_bytes())?
        .map(|value| decode(OUTCOME, &value))
        .transpose()
}

/// Writes the next probe and returns it.
pub(super) fn probe(rows: &mut dyn Write) -> Result<u64> {
    let next = last_probe(rows)?.wrapping_add(1);
    rows.put(Table::Probe, &[], &encode(PROBE, &next)?)?;
    Ok(next)
}

/// Whether the probe, or a later one, is there.
pub(super) fn check_probe(rows: &dyn Read, probe: u64) -> Result<()> {
    if last_probe(rows)? >= probe {
        return Ok(());
    }
    Err(Error::Corrupt { what: PROBE, why: "what was written is not what is read".to_owned() })
}

fn last_probe(rows: &(impl Read + ?Sized)) -> Result<u64> {
    rows.get(Table::Probe, &[])?.map_or(Ok(0), |value| decode(PROBE, &value))
}
