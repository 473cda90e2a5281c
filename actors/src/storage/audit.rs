//! Who erased what, and when: rows that outlive what they tell of, and name nobody.
//!
//! A business's rows are found by a digest of its id, so that they can stay when it is gone. Each row holds the
//! digest of the one before: a row that is changed or taken out breaks the chain.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Erased, Error, Result};
use crate::types::TenantId;

/// On whose behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditActor {
    /// Somebody at the command line.
    Operator,
    /// The business's own policy, by the sweep.
    Retention,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAct {
    /// Calls past their time were erased.
    Sweep,
    /// A call was erased.
    EraseCall,
    /// A caller was erased.
    EraseCaller,
    /// The business was erased.
    EraseTenant,
    /// The business's key was sealed anew, with another master key.
    ResealKey,
}

/// What is written down of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// On whose behalf.
    pub by: AuditActor,
    /// What was done.
    pub act: AuditAct,
    /// How much of it.
    pub erased: Erased,
    /// Calls that went on and were left.
    pub live: u64,
}

/// A row of a business's audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number, from 0, without gaps.
    pub seq: u64,
    /// What it tells.
    pub entry: AuditEntry,
    /// The digest of the row before, in hexadecimal; empty in the first.
    pub previous: String,
}

impl AuditRow {
    /// The row that tells this after `previous`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where `previous` can't be written as JSON.
    pub fn after(previous: Option<&Self>, entry: &AuditEntry) -> Result<Self> {
        Ok(Self {
            seq: previous.map_or(0, |row| row.seq + 1),
            entry: entry.clone(),
            previous: previous.map_or_else(|| Ok(String::new()), Self::digest)?,
        })
    }

    /// The digest of this row (SHA-256 of its JSON), in hexadecimal.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where it can't be written as JSON.
    pub fn digest(&self) -> Result<String> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::Corrupt { what: "audit row", why: error.to_string() })?;
        Ok(hex(&text))
    }
}

/// By what a business's rows are found: SHA-256 of its id, in hexadecimal.
#[must_use]
pub fn audit_key(tenant: &TenantId) -> String {
    hex(format!("tenant|{tenant}").as_bytes())
}

/// The first row that does not follow the one before it, if any. Rows are given newest first, as they are listed.
#[must_use]
pub fn broken_link(rows: &[AuditRow]) -> Option<u64> {
    rows.iter()
        .zip(rows.iter().skip(1))
        .find(|(row, before)| {
            row.seq != before.seq + 1 || before.digest().as_deref() != Ok(row.previous.as_str())
        })
        .map(|(row, _)| row.seq)
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
