//! Forgetting: calls go from the index, and their bytes from its files.

use std::path::Path;
use std::time::Duration;

use tantivy::index::SegmentId;
use tantivy::{SegmentMeta, Term};
use tokio::time::Instant;

use super::callers::Callers;
use super::document::{Fields, call_term};
use super::files::{self, Opened};
use super::{Error, Result};
use crate::types::{CallId, PhoneNumber, Private, TenantId};

/// How long rewriting waits for what still uses an old file.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What is to be forgotten. Erase it from the store first: a sweep would find it there again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// These calls.
    Calls(Vec<CallId>),
    /// A business's calls from a number.
    Caller(TenantId, Private<PhoneNumber>),
    /// All calls of a business.
    Tenant(TenantId),
}

impl Forget {
    /// The terms of which each of its documents has one.
    pub(super) fn terms(&self, fields: &Fields, callers: &Callers) -> Vec<Term> {
        match self {
            Self::Calls(calls) => calls.iter().map(|call| call_term(fields, *call)).collect(),
            Self::Caller(tenant, caller) => {
                vec![Term::from_field_text(fields.caller, &callers.hash(tenant, caller))]
            }
            Self::Tenant(tenant) => vec![Term::from_field_text(fields.tenant, tenant.as_str())],
        }
    }
}

/// Rewrites every segment from which something was deleted, and removes the old ones' files. To be called after a
/// commit.
pub(super) fn purge(opened: &mut Opened, folder: &Path, until: Instant) -> Result<()> {
    loop {
        let segments = opened.readable.index.searchable_segment_metas()?;
        let deleted: Vec<_> = segments.iter().filter(|one| one.has_deletes()).map(SegmentMeta::id).collect();
        drop(segments);
        if deleted.is_empty() {
            break;
        }
        for segment in deleted {
            // One that a merge of tantivy's own has taken is refused; that merge rewrites it, too.
            if let Err(error) = opened.writer.merge(&[segment]).wait()
                && Instant::now() >= until
            {
                return Err(Error::Unfinished { why: error.to_string() });
            }
        }
        within(until)?;
    }
    loop {
        // Files go when nobody reads them any more: not this reader, no question that is being answered, no merge.
        opened.readable.reader.reload()?;
        opened.writer.garbage_collect_files().wait()?;
        let living = opened.readable.index.searchable_segment_ids()?;
        let living: Vec<String> = living.iter().map(SegmentId::uuid_string).collect();
        match files::has_others(folder, &living) {
            Ok(false) => return Ok(()),
            Ok(true) => within(until)?,
            Err(error) => return Err(Error::Unfinished { why: error.to_string() }),
        }
    }
}

fn within(until: Instant) -> Result<()> {
    if Instant::now() >= until {
        return Err(Error::Unfinished { why: "it took too long".to_owned() });
    }
    std::thread::sleep(LOOK_AGAIN);
    Ok(())
}
