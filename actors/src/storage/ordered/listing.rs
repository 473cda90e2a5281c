//! Pages of a partition, with cursors that stay true while rows are added.

use super::key::Key;
use super::{Direction, Read, Table};
use crate::storage::{Cursor, Error, Listing, Page, Result};

/// The most rows a page has, whatever is asked for.
pub(in crate::storage) const PAGE_ROWS_MAX: usize = 1_000;

/// A page of the keys that begin with `partition` and lie before `until`. A cursor holds the last row's place
/// within the partition, so that one of another partition shows nothing of it.
pub(super) fn list<T>(
    rows: &dyn Read,
    table: Table,
    partition: &Key,
    from: &Key,
    until: &[u8],
    page: &Page,
    mut read: impl FnMut(&[u8], &[u8]) -> Result<T>,
) -> Result<Listing<T>> {
    let limit = page.limit.clamp(1, PAGE_ROWS_MAX);
    let after = match &page.after {
        Some(cursor) => Some(partition.clone().bytes(&from_hex(&cursor.0)?).next()),
        None => None,
    };
    let start = match &after {
        Some(after) if after.as_bytes() > from.as_bytes() => after.as_bytes(),
        _ => from.as_bytes(),
    };
    let mut found = rows.range(table, start, until, Direction::Forwards, limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).and_then(|(key, _)| key.get(partition.len()..));
    let next = last.map(|suffix| Cursor(to_hex(suffix)));
    let rows = found.iter().map(|(key, value)| read(key, value)).collect::<Result<_>>()?;
    Ok(Listing { rows, next })
}

/// A page of the keys that begin with `partition` and lie at `from` or after it, from the last to the first.
pub(super) fn list_backwards<T>(
    rows: &dyn Read,
    table: Table,
    partition: &Key,
    from: &[u8],
    page: &Page,
    mut read: impl FnMut(&[u8], &[u8]) -> Result<T>,
) -> Result<Listing<T>> {
    let limit = page.limit.clamp(1, PAGE_ROWS_MAX);
    let end = match &page.after {
        Some(cursor) => partition.clone().bytes(&from_hex(&cursor.0)?).as_bytes().to_vec(),
        None => partition.end(),
    };
    let mut found = rows.range(table, from, &end, Direction::Backwards, limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).and_then(|(key, _)| key.get(partition.len()..));
    let next = last.map(|suffix| Cursor(to_hex(suffix)));
    let rows = found.iter().map(|(key, value)| read(key, value)).collect::<Result<_>>()?;
    Ok(Listing { rows, next })
}

/// A page of a whole partition.
pub(super) fn list_partition<T>(
    rows: &dyn Read,
    table: Table,
    partition: &Key,
    page: &Page,
    read: impl FnMut(&[u8], &[u8]) -> Result<T>,
) -> Result<Listing<T>> {
    list(rows, table, partition, partition, &partition.end(), page, read)
}

pub(in crate::storage) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(in crate::storage) fn from_hex(text: &str) -> Result<Vec<u8>> {
    let wrong = || Error::Corrupt { what: "cursor", why: "it is not one that a listing gave".to_owned() };
    if !text.len().is_multiple_of(2) || text.len() > 1_024 {
        return Err(wrong());
    }
    (0..text.len())
        .step_by(2)
        .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong))
        .collect()
}
