//! Pages to sealed chunks.

use super::encode::Pages;
use crate::storage::MergedChunk;
use crate::storage::recordings::Result;
use crate::storage::recordings::seal::{SEGMENT_BYTES_MAX, Seal};

/// Collects pages into chunks of at most 64 KiB, and seals them. A chunk is sealed when the next page came, so that
/// the last is known as the last.
pub(super) struct Chunks {
    seal: Seal,
    open: Vec<u8>,
    until: u64,
    pub(super) sealed: Vec<MergedChunk>,
}

impl Chunks {
    pub(super) const fn new(seal: Seal) -> Self {
        Self { seal, open: Vec::new(), until: 0, sealed: Vec::new() }
    }

    /// Takes pages; a sealed chunk where they did not fit any more.
    pub(super) fn push(&mut self, pages: Pages) -> Result<Option<Vec<u8>>> {
        let full = !self.open.is_empty() && self.open.len() + pages.bytes.len() > SEGMENT_BYTES_MAX;
        let sealed = if full { Some(self.cut(false)?) } else { None };
        self.open.extend(pages.bytes);
        self.until = pages.until;
        Ok(sealed)
    }

    /// The last chunk.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>> {
        self.cut(true)
    }

    /// What opens them again.
    pub(super) const fn seal(&self) -> &Seal {
        &self.seal
    }

    fn cut(&mut self, last: bool) -> Result<Vec<u8>> {
        let index = u32::try_from(self.sealed.len()).unwrap_or(u32::MAX);
        let sealed = self.seal.seal(index, last, std::mem::take(&mut self.open))?;
        let bytes = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        self.sealed.push(MergedChunk { bytes, until: self.until });
        Ok(sealed)
    }
}
