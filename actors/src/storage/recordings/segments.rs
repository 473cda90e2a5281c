//! A recording as it is kept while the call goes on: segments of µ-law.

use std::collections::BTreeSet;
use std::ops::Range;

use models::audio::g711::Law;

use super::playback::{Body, Source};
use super::seal::Seal;
use super::{Error, Recordings, Result, bundles, folder_of, index_of};
use crate::storage::Recording;

/// Silence in µ-law.
const SILENCE: u8 = 0xff;

impl Recordings {
    /// A recording's segments, to be opened one by one.
    pub(super) async fn segments(&self, row: Recording) -> Result<Source> {
        let seal = self.seal_of(&row).await?;
        let count = match &row.finished {
            Some(finished) => finished.segments,
            None => self.kept(&row, &seal).await?.last().map_or(0, |last| last.saturating_add(1)),
        };
        Ok(Source { row, seal, body: Body::Segments(count) })
    }

    /// What opens a recording's segments.
    pub(super) async fn seal_of(&self, row: &Recording) -> Result<Seal> {
        let key = self.keys.open(&row.tenant, row.id, &row.sealed_key).await?;
        Seal::new(&key, &row.tenant, row.call, row.id)
    }

    /// Which segments lie there, of a recording whose end was not written down.
    pub(super) async fn kept(&self, row: &Recording, seal: &Seal) -> Result<BTreeSet<u32>> {
        let listed = self.objects.list(&folder_of(&row.tenant, row.id)).await?;
        let mut kept: BTreeSet<u32> = listed.iter().filter_map(|object| index_of(&object.location)).collect();
        for (index, whole) in bundles::listed(row, &listed) {
            let Some(sealed) = self.objects.segment(row, index).await? else { continue };
            // One that is not whole is the very last, or what a process wrote when it died.
            if seal.open(index, !whole, &sealed).is_ok() {
                kept.insert(index);
            }
        }
        Ok(kept)
    }

    /// Opens the segments that hold the wanted samples, in order; how many of those are lost.
    pub(super) async fn pour_segments(
        &self,
        source: &Source,
        wanted: &Range<u64>,
        sink: &mut (dyn FnMut(&[i16]) -> Result<()> + Send),
    ) -> Result<u64> {
        let whole = u64::from(source.row.segment_samples.max(1));
        let first = u32::try_from(wanted.start / whole).unwrap_or(u32::MAX);
        let mut lost = 0;
        for index in first..source.segments() {
            let begins = u64::from(index) * whole;
            if begins >= wanted.end {
                break;
            }
            let (samples, is_lost) = self.segment_samples(source, index).await?;
            let count = (samples.len() / 2) as u64;
            let from = wanted.start.saturating_sub(begins).min(count);
            let until = (wanted.end - begins).min(count);
            lost += if is_lost { until - from } else { 0 };
            let part = usize::try_from(from * 2).ok().zip(usize::try_from(until * 2).ok());
            sink(part.and_then(|(from, until)| samples.get(from..until)).unwrap_or_default())?;
        }
        Ok(lost)
    }

    /// One segment's samples, both sides in turn, and whether they are lost and these are silence.
    pub(super) async fn segment_samples(&self, source: &Source, index: u32) -> Result<(Vec<i16>, bool)> {
        let audio = self.segment(source, index).await?;
        let is_lost = audio.is_none();
        let audio = audio.unwrap_or_else(|| {
            let missing = missing_samples(&source.row, index);
            vec![SILENCE; usize::try_from(missing * 2).unwrap_or_default()]
        });
        Ok((audio.into_iter().map(|byte| Law::Mu.decode(byte)).collect(), is_lost))
    }

    /// One segment's µ-law, or nothing where it was lost when it was recorded.
    async fn segment(&self, source: &Source, index: u32) -> Result<Option<Vec<u8>>> {
        let Source { row, seal, .. } = source;
        let count = source.segments();
        let is_lost = row.finished.as_ref().is_some_and(|finished| finished.lost_segments.contains(&index));
        // Where one could not be kept, half of it may lie.
        let found = if is_lost { None } else { self.objects.segment(row, index).await? };
        let Some(sealed) = found else {
            return if is_lost || row.finished.is_none() {
                Ok(None)
            } else {
                Err(Error::Missing { index, of: count })
            };
        };
        let last = index + 1 == count;
        match &row.finished {
            Some(finished) if !finished.cut_short => seal.open(index, last, &sealed).map(Some),
            // Where the process died it is not known whether the last that was kept was the very last.
            _ if last => {
                seal.open(index, false, &sealed).or_else(|_| seal.open(index, true, &sealed)).map(Some)
            }
            _ => seal.open(index, false, &sealed).map(Some),
        }
    }
}

/// How long a lost segment was: whole, or what remains at the end.
fn missing_samples(row: &Recording, index: u32) -> u64 {
    let whole = u64::from(row.segment_samples);
    match &row.finished {
        Some(finished) if index + 1 == finished.segments => {
            finished.samples.saturating_sub(u64::from(index) * whole).min(whole)
        }
        _ => whole,
    }
}
