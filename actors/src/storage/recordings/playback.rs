//! Hearing a recording again: a WAV file of 16 bits, caller left and receptionist right.

use std::fs::OpenOptions;
use std::io::{BufWriter, Cursor, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use audio_codec_algorithms::decode_ulaw;
use hound::{SampleFormat, WavSpec, WavWriter};
use object_store::ObjectStoreExt;

use super::seal::Seal;
use super::{Error, Recordings, Result, Settings, folder_of, index_of, object_of};
use crate::storage::Recording;
use crate::types::RecordingId;

/// Silence in µ-law.
const SILENCE: u8 = 0xff;

/// What was heard of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Samples of each side.
    pub samples: u64,
    /// Samples of each side that are lost; silence stands for them.
    pub lost_samples: u64,
    /// Whether the recording was brought to its end; not so while it goes on, and where the process died.
    pub finished: bool,
}

/// The segments of a recording, to be opened one by one.
struct Segments {
    row: Recording,
    seal: Seal,
    count: u32,
}

impl Recordings {
    /// A recording as a WAV file in memory. One that goes on, or whose process died, is read as far as it was
    /// kept.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooLong`]; [`Error::Altered`] and [`Error::Missing`] where what lies there is
    /// not what was kept; those of the keys and the stores.
    pub async fn read(&self, recording: RecordingId, settings: &Settings) -> Result<(Vec<u8>, Played)> {
        let segments = self.segments(recording).await?;
        let seconds = u64::from(segments.count) * u64::from(segments.row.segment_samples)
            / u64::from(segments.row.rate_hz.max(1));
        if seconds > settings.read_seconds_max {
            return Err(Error::TooLong { seconds, most: settings.read_seconds_max });
        }
        let mut bytes = Cursor::new(Vec::new());
        let played = self.write(&segments, &mut bytes).await?;
        Ok((bytes.into_inner(), played))
    }

    /// Writes a recording to a new WAV file that only its owner reads.
    ///
    /// # Errors
    /// As [`Self::read`]; [`Error::Folder`] where the file is there already or can't be written. A file that could
    /// not be finished is removed.
    pub async fn export(&self, recording: RecordingId, path: &Path) -> Result<Played> {
        let segments = self.segments(recording).await?;
        let failed = |error: std::io::Error| Error::Folder { path: path.to_owned(), why: error.to_string() };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let played = self.write(&segments, BufWriter::new(file)).await;
        if played.is_err() {
            // What went wrong is told; half a file would only hide it.
            let _ = std::fs::remove_file(path);
        }
        played
    }

    async fn segments(&self, recording: RecordingId) -> Result<Segments> {
        let row = self.storage.recording(recording).await?.ok_or(Error::NotFound)?;
        let key = self.keys.open(&row.tenant, recording, &row.sealed_key).await?;
        let seal = Seal::new(&key, &row.tenant, row.call, recording)?;
        let count = match &row.finished {
            Some(finished) => finished.segments,
            None => {
                let folder = folder_of(&row.tenant, recording);
                let listed = self.objects.list_with_delimiter(Some(&folder)).await?;
                let last = listed.objects.iter().filter_map(|object| index_of(&object.location)).max();
                last.map_or(0, |last| last.saturating_add(1))
            }
        };
        Ok(Segments { row, seal, count })
    }

    async fn write(&self, segments: &Segments, to: impl Write + Seek) -> Result<Played> {
        let spec = WavSpec {
            channels: 2,
            sample_rate: segments.row.rate_hz,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let failed = |error: hound::Error| Error::Objects { why: format!("the WAV file: {error}") };
        let mut writer = WavWriter::new(to, spec).map_err(failed)?;
        let (mut samples, mut lost_samples) = (0, 0);
        for index in 0..segments.count {
            let audio = self.segment(segments, index).await?.unwrap_or_else(|| {
                let missing = missing_samples(&segments.row, index, samples);
                lost_samples += missing;
                vec![SILENCE; usize::try_from(missing * 2).unwrap_or_default()]
            });
            samples += (audio.len() / 2) as u64;
            for byte in audio {
                writer.write_sample(decode_ulaw(byte)).map_err(failed)?;
            }
        }
        writer.finalize().map_err(failed)?;
        Ok(Played { samples, lost_samples, finished: segments.row.finished.is_some() })
    }

    /// One segment's µ-law, or nothing where it was lost when it was recorded.
    async fn segment(&self, segments: &Segments, index: u32) -> Result<Option<Vec<u8>>> {
        let Segments { row, seal, count } = segments;
        let object = object_of(&row.tenant, row.id, index);
        let sealed = match self.objects.get(&object).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => {
                return match &row.finished {
                    Some(finished) if !finished.lost_segments.contains(&index) => {
                        Err(Error::Missing { index, of: *count })
                    }
                    _ => Ok(None),
                };
            }
            Err(error) => return Err(error.into()),
        };
        let last = index + 1 == *count;
        match &row.finished {
            Some(_) => seal.open(index, last, &sealed).map(Some),
            // Where the process died it is not known whether the last that was kept was the very last.
            None if last => {
                seal.open(index, false, &sealed).or_else(|_| seal.open(index, true, &sealed)).map(Some)
            }
            None => seal.open(index, false, &sealed).map(Some),
        }
    }
}

/// How long a lost segment was: whole, or what remains at the end.
fn missing_samples(row: &Recording, index: u32, before: u64) -> u64 {
    let whole = u64::from(row.segment_samples);
    match &row.finished {
        Some(finished) if index + 1 == finished.segments => {
            finished.samples.saturating_sub(before).min(whole)
        }
        _ => whole,
    }
}
