//! Who owns what.

use super::key::Key;
use super::value::{decode, encode};
use super::{Read, Table, Write};
use crate::storage::{Owner, Result};

pub(super) const WHAT: &str = "owner";

fn key(kind: &str, id: &str) -> Key {
    Key::new().text(kind).text(id)
}

pub(super) fn take(rows: &mut dyn Write, kind: &str, id: &str, who: &str) -> Result<Owner> {
    let before = get(rows, kind, id)?;
    if let Some(own) = before.as_ref().filter(|owner| owner.who == who) {
        return Ok(own.clone());
    }
    let epoch = before.map_or(0, |owner| owner.epoch).saturating_add(1);
    let owner = Owner { who: who.to_owned(), epoch };
    rows.put(Table::Owners, key(kind, id).as_bytes(), &encode(WHAT, &owner)?)?;
    Ok(owner)
}

pub(super) fn get(rows: &(impl Read + ?Sized), kind: &str, id: &str) -> Result<Option<Owner>> {
    rows.get(Table::Owners, key(kind, id).as_bytes())?.map(|value| decode(WHAT, &value)).transpose()
}
