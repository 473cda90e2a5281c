//! How the book lies in its file: a heading, a checksum, and JSON; written beside it and put in its place.
//!
//! ```text
//! "strwbook1" | CRC-32 of the rest u32, little-endian | JSON: a list of businesses, when each was seen, its sealed key
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Known;
use crate::types::Business;

/// What the file begins with; the last digit is the version.
const HEADING: &[u8; 9] = b"strwbook1";

#[derive(Deserialize)]
struct Line {
    seen_at: Timestamp,
    business: Business,
    #[serde(default)]
    key: Option<Vec<u8>>,
}

#[derive(Serialize)]
struct LineOf<'k> {
    seen_at: Timestamp,
    business: &'k Business,
    key: Option<&'k [u8]>,
}

impl<'k> LineOf<'k> {
    fn of(known: &'k Known) -> Self {
        Self { seen_at: known.seen_at, business: &known.business, key: known.key.as_deref() }
    }
}

/// Reads the file; nothing is in one that is not there.
pub(super) fn read(path: &Path) -> Result<Vec<Known>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let rest = bytes.strip_prefix(HEADING).ok_or("it is not one of this program's version")?;
    let (checksum, json) = rest.split_first_chunk::<4>().ok_or("it is cut off")?;
    if crc32fast::hash(json) != u32::from_le_bytes(*checksum) {
        return Err("it is damaged".to_owned());
    }
    let lines: Vec<Line> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let known = |line: Line| Known {
        business: Arc::new(line.business),
        seen_at: line.seen_at,
        key: line.key.map(Arc::from),
    };
    Ok(lines.into_iter().map(known).collect())
}

/// Writes the file anew, for its owner only. After a power cut it is the one before or this one.
pub(super) fn write(path: &Path, entries: &[Known]) -> io::Result<()> {
    let lines: Vec<LineOf<'_>> = entries.iter().map(LineOf::of).collect();
    let json = serde_json::to_vec(&lines)?;
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(HEADING).and_then(|()| {
        file.write_all(&crc32fast::hash(&json).to_le_bytes())?;
        file.write_all(&json)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&new, path)) {
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
