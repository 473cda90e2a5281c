//! How far an erasure that goes through several tables has come.

use crate::storage::{Cursor, Error, Result};

/// A table, by number, and a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::storage) struct Place {
    pub(in crate::storage) part: usize,
    pub(in crate::storage) inner: Option<Cursor>,
}

impl Place {
    /// Reads a cursor that [`Self::next`] wrote; the start where there is none.
    pub(in crate::storage) fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(Cursor(text)) = cursor else { return Ok(Self { part: 0, inner: None }) };
        let wrong = || Error::Corrupt { what: "cursor", why: "it is not one that a step gave".to_owned() };
        let (part, inner) = text.split_once('.').ok_or_else(wrong)?;
        let part = part.parse().map_err(|_| wrong())?;
        let inner = Some(inner).filter(|inner| !inner.is_empty()).map(|inner| Cursor(inner.to_owned()));
        Ok(Self { part, inner })
    }

    /// Where the next step starts: in the same table, or in the next of so many, or nowhere.
    pub(in crate::storage) fn next(&self, inner: Option<Cursor>, parts: usize) -> Option<Cursor> {
        let part = if inner.is_some() { self.part } else { self.part + 1 };
        (part < parts).then(|| Cursor(format!("{part}.{}", inner.map_or(String::new(), |Cursor(text)| text))))
    }
}
