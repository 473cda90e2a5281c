//! What a backup is made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seal::Opening;
use super::tally::Sum;
use super::{Error, Result};
use crate::storage::{Part, StoredRow};

/// The largest item, in bytes: an object of the recordings is read at once.
pub(super) const ITEM_BYTES_MAX: usize = 256 << 20;

/// What a backup begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the rows' shape.
    pub rows_version: u16,
    /// The version of the program that wrote it.
    pub program: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether the recordings' objects are in it.
    pub recordings: bool,
    /// Whether the master key is in it.
    pub master_key: bool,
    /// Whether its rows are those of one moment.
    #[serde(default)]
    pub one_moment: bool,
}

/// An object of the recordings.
#[derive(Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// What is in it, sealed.
    pub bytes: Vec<u8>,
}

/// What a backup ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(super) struct Tail {
    /// Of each part, how many rows and their sum.
    pub(super) rows: BTreeMap<Part, Sum>,
    /// How many objects.
    pub(super) objects: u64,
}

/// One piece of a backup.
#[derive(Clone, PartialEq)]
pub enum Item {
    /// The first.
    Head(Head),
    /// Rows.
    Rows(Vec<StoredRow>),
    /// An object of the recordings.
    Object(Object),
    /// The master key's file.
    MasterKey(Vec<u8>),
    /// The last.
    #[doc(hidden)]
    Tail(Vec<u8>),
}

/// Says the kind only: items are full of personal data and keys.
impl std::fmt::Debug for Item {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Head(_) => "Item(head)",
            Self::Rows(_) => "Item(rows)",
            Self::Object(_) => "Item(object)",
            Self::MasterKey(_) => "Item(master key)",
            Self::Tail(_) => "Item(tail)",
        })
    }
}

const HEAD: u8 = 1;
const ROWS: u8 = 2;
const OBJECT: u8 = 3;
const MASTER_KEY: u8 = 4;
const TAIL: u8 = 5;

impl Item {
    /// The item as bytes.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let stopped = |error: serde_json::Error| Error::Stopped { why: error.to_string() };
        let (kind, body) = match self {
            Self::Head(head) => (HEAD, serde_json::to_vec(head).map_err(stopped)?),
            Self::Rows(rows) => (ROWS, serde_json::to_vec(rows).map_err(stopped)?),
            Self::Object(Object { name, bytes }) => {
                let length = u16::try_from(name.len())
                    .map_err(|_| Error::Stopped { why: "an object's name is too long".to_owned() })?;
                (OBJECT, [&length.to_le_bytes()[..], name.as_bytes(), bytes].concat())
            }
            Self::MasterKey(bytes) => (MASTER_KEY, bytes.clone()),
            Self::Tail(bytes) => (TAIL, bytes.clone()),
        };
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= ITEM_BYTES_MAX);
        let length = length.ok_or_else(|| Error::Stopped {
            why: format!("something of {} bytes is too large for a backup", body.len()),
        })?;
        Ok([&length.to_le_bytes()[..], &[kind], &body].concat())
    }

    /// Reads the next item.
    pub(super) fn read<R: std::io::Read>(from: &mut Opening<R>) -> Result<Self> {
        let mut frame = [0; 5];
        from.read_exact(&mut frame)?;
        let [length @ .., kind] = frame;
        let length = u32::from_le_bytes(length) as usize;
        if length > ITEM_BYTES_MAX {
            return Err(strange("an item"));
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(match kind {
            HEAD => Self::Head(serde_json::from_slice(&body).map_err(|_| strange("its head"))?),
            ROWS => Self::Rows(serde_json::from_slice(&body).map_err(|_| strange("a row"))?),
            OBJECT => {
                let (length, rest) = body.split_first_chunk::<2>().ok_or_else(|| strange("an object"))?;
                let name = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)));
                let (name, bytes) = name.ok_or_else(|| strange("an object"))?;
                let name = std::str::from_utf8(name).map_err(|_| strange("an object"))?;
                Self::Object(Object { name: name.to_owned(), bytes: bytes.to_vec() })
            }
            MASTER_KEY => Self::MasterKey(body),
            TAIL => Self::Tail(body),
            _ => return Err(strange("an item")),
        })
    }
}

fn strange(what: &str) -> Error {
    Error::Sums { what: format!("{what} can't be read") }
}
