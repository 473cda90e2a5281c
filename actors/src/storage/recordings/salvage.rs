//! Recordings whose process died: what of them was kept is brought to an end, so that it can be merged like any
//! other.

use super::playback::{Body, Source};
use super::{Recordings, Result};
use crate::storage::FinishedRecording;
use crate::types::RecordingId;

impl Recordings {
    /// Brings a recording to its end whose process died: what lies there, or waits to be sent there, is all there
    /// is. To be called once nobody records it any more. Whether there was anything to do; again changes nothing.
    ///
    /// # Errors
    /// As [`Self::read`]; it may be tried again.
    pub async fn salvage(&self, recording: RecordingId) -> Result<bool> {
        let Some(mut row) = self.storage.recording(recording).await?.filter(|row| row.finished.is_none())
        else {
            return Ok(false);
        };
        let seal = self.seal_of(&row).await?;
        let kept = self.kept(&row, &seal).await?;
        let segments = kept.last().map_or(0, |last| last.saturating_add(1));
        let whole = u64::from(row.segment_samples);
        let source = Source { row: row.clone(), seal, body: Body::Segments(segments) };
        let samples = match kept.last() {
            // Its process may have died before the segment was full.
            Some(last) => {
                let (both, _) = self.segment_samples(&source, *last).await?;
                u64::from(*last) * whole + (both.len() / 2) as u64
            }
            None => 0,
        };
        let lost_segments = (0..segments).filter(|index| !kept.contains(index)).collect();
        row.finished = Some(FinishedRecording { segments, samples, lost_segments, cut_short: true });
        Ok(self.storage.update_recording(&row).await?)
    }
}
