//! Hearing a recording again: as WAV of 16 bits or as the Ogg/Opus file that it is kept as, caller left and
//! receptionist right, whole or in part. Of a merged recording only the chunks that hold the part are opened.

use std::fs::OpenOptions;
use std::io::{BufWriter, Cursor, Seek, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};
use serde::{Deserialize, Serialize};

use super::merge::{Decode, OggOpus};
use super::seal::Seal;
use super::{Error, Recordings, Result, Settings, merge, merged_object};
use crate::storage::{MergedRecording, Recording};
use crate::types::RecordingId;

/// What of a recording is written, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extract {
    /// From here, in milliseconds; its start where absent.
    pub from_ms: Option<u64>,
    /// To here, in milliseconds; its end where absent.
    pub until_ms: Option<u64>,
    /// As what.
    pub format: Format,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A WAV file of 16 bits.
    #[default]
    Wav,
    /// An Ogg/Opus file (RFC 7845), whole.
    Ogg,
}

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

/// Where a recording's audio is, and what opens it.
pub(super) struct Source {
    pub(super) row: Recording,
    pub(super) seal: Seal,
    pub(super) body: Body,
}

/// How it is kept.
pub(super) enum Body {
    /// So many segments.
    Segments(u32),
    /// One object.
    Merged(MergedRecording),
}

type Sink<'a> = dyn FnMut(&[i16]) -> Result<()> + Send + 'a;

impl Recordings {
    /// A recording as a WAV file in memory. One that goes on, or whose process died, is read as far as it was
    /// kept.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooLong`]; [`Error::Altered`] and [`Error::Missing`] where what lies there is
    /// not what was kept; those of the keys and the stores.
    pub async fn read(&self, recording: RecordingId, settings: &Settings) -> Result<(Vec<u8>, Played)> {
        let source = self.source(recording).await?;
        let seconds = source.samples_max() / u64::from(source.row.rate_hz.max(1));
        if seconds > settings.read_seconds_max {
            return Err(Error::TooLong { seconds, most: settings.read_seconds_max });
        }
        let mut bytes = Cursor::new(Vec::new());
        let played = self.write(&source, &Extract::default(), &mut bytes).await?;
        Ok((bytes.into_inner(), played))
    }

    /// Writes a recording, or a part of it, to a new file that only its owner reads.
    ///
    /// # Errors
    /// As [`Self::read`]; [`Error::Folder`] where the file is there already or can't be written. A file that could
    /// not be finished is removed. [`Error::Extract`] where such a part can't be had.
    pub async fn export(&self, recording: RecordingId, path: &Path, extract: &Extract) -> Result<Played> {
        let source = self.source(recording).await?;
        extract.samples(source.row.rate_hz)?;
        let failed = |error: std::io::Error| Error::Folder { path: path.to_owned(), why: error.to_string() };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let played = self.write(&source, extract, BufWriter::new(file)).await;
        if played.is_err() {
            // What went wrong is told; half a file would only hide it.
            let _ = std::fs::remove_file(path);
        }
        played
    }

    async fn source(&self, recording: RecordingId) -> Result<Source> {
        let row = self.storage.recording(recording).await?.ok_or(Error::NotFound)?;
        match row.merged.clone() {
            Some(merged) => {
                let key = self.keys.open(&row.tenant, recording, &merged.sealed_key).await?;
                let seal = Seal::new(&key, &row.tenant, row.call, recording)?;
                Ok(Source { row, seal, body: Body::Merged(merged) })
            }
            None => self.segments(row).await,
        }
    }

    async fn write(
        &self,
        source: &Source,
        extract: &Extract,
        to: impl Write + Seek + Send,
    ) -> Result<Played> {
        let wanted = extract.samples(source.row.rate_hz)?;
        let (samples, lost_samples) = match extract.format {
            Format::Wav => self.write_wav(source, wanted, to).await?,
            Format::Ogg => self.write_ogg(source, to).await?,
        };
        Ok(Played {
            samples,
            lost_samples,
            finished: source.row.finished.as_ref().is_some_and(|finished| !finished.cut_short),
        })
    }

    async fn write_wav(
        &self,
        source: &Source,
        wanted: Range<u64>,
        to: impl Write + Seek + Send,
    ) -> Result<(u64, u64)> {
        let spec = WavSpec {
            channels: 2,
            sample_rate: source.row.rate_hz,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let failed = |error: hound::Error| Error::Objects { why: format!("the WAV file: {error}") };
        let mut writer = WavWriter::new(to, spec).map_err(failed)?;
        let mut samples = 0;
        let mut sink = |heard: &[i16]| {
            samples += (heard.len() / 2) as u64;
            heard.iter().try_for_each(|sample| writer.write_sample(*sample)).map_err(failed)
        };
        let lost = match &source.body {
            Body::Segments(_) => self.pour_segments(source, &wanted, &mut sink).await?,
            Body::Merged(merged) => {
                self.pour_merged(source, merged, &wanted, &mut sink).await?;
                lost_of(&source.row, &wanted)
            }
        };
        writer.finalize().map_err(failed)?;
        Ok((samples, lost))
    }

    /// The file as it is kept; of one that is not merged yet, what merging it makes of it.
    async fn write_ogg(&self, source: &Source, mut to: impl Write + Send) -> Result<(u64, u64)> {
        let failed = |error: std::io::Error| Error::Objects { why: format!("the Ogg file: {error}") };
        let all = 0..u64::MAX;
        let (samples, lost) = match &source.body {
            Body::Merged(merged) => {
                for index in 0..merged.chunks.len() {
                    to.write_all(&self.chunk(source, merged, index).await?).map_err(failed)?;
                }
                let finished = source.row.finished.as_ref().map_or(0, |finished| finished.samples);
                (finished, lost_of(&source.row, &all))
            }
            Body::Segments(_) => {
                let mut encoder = OggOpus::new(source.row.rate_hz, &merge::Settings::default())?;
                let mut samples = 0;
                let mut sink = |heard: &[i16]| {
                    samples += (heard.len() / 2) as u64;
                    match encoder.push(heard)? {
                        Some(pages) => to.write_all(&pages.bytes).map_err(failed),
                        None => Ok(()),
                    }
                };
                let lost = self.pour_segments(source, &all, &mut sink).await?;
                to.write_all(&encoder.finish()?.bytes).map_err(failed)?;
                (samples, lost)
            }
        };
        to.flush().map_err(failed)?;
        Ok((samples, lost))
    }

    /// Decodes the chunks that hold the wanted samples.
    async fn pour_merged(
        &self,
        source: &Source,
        merged: &MergedRecording,
        wanted: &Range<u64>,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let mut decode = Decode::new(source.row.rate_hz, merged.lead, wanted.clone())?;
        let mut from = 0;
        for (index, chunk) in merged.chunks.iter().enumerate() {
            let granules = from..chunk.until;
            if decode.needs(&granules) {
                decode.chunk(self.chunk(source, merged, index).await?, &granules, sink)?;
            }
            from = chunk.until;
        }
        Ok(())
    }

    /// One chunk of a merged recording, opened.
    async fn chunk(&self, source: &Source, merged: &MergedRecording, index: usize) -> Result<Vec<u8>> {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let from: u64 = merged.chunks.iter().take(index).map(|chunk| u64::from(chunk.bytes)).sum();
        let length = merged.chunks.get(index).map_or(0, |chunk| u64::from(chunk.bytes));
        let object = merged_object(&source.row, &merged.object);
        let sealed = match self.objects.range(&object, from..from + length).await {
            Ok(sealed) => sealed,
            Err(object_store::Error::NotFound { .. }) => {
                let of = u32::try_from(merged.chunks.len()).unwrap_or(u32::MAX);
                return Err(Error::Missing { index: number, of });
            }
            // One that was cut short has no such bytes: not a failure of the store.
            Err(error) => match self.objects.length(&object).await {
                Ok(there) if there < from + length => return Err(Error::Altered { index: number }),
                _ => return Err(error.into()),
            },
        };
        source.seal.open(number, index + 1 == merged.chunks.len(), &sealed)
    }
}

impl Extract {
    /// The samples of each side that are wanted.
    fn samples(&self, rate_hz: u32) -> Result<Range<u64>> {
        let per_ms = u64::from(rate_hz) / 1_000;
        let from = self.from_ms.unwrap_or(0).saturating_mul(per_ms);
        let until = self.until_ms.map_or(u64::MAX, |until| until.saturating_mul(per_ms));
        if from >= until {
            return Err(Error::Extract { why: "it ends before it begins" });
        }
        if self.format == Format::Ogg && (from > 0 || until < u64::MAX) {
            return Err(Error::Extract { why: "a part is written as WAV; Ogg is written whole" });
        }
        Ok(from..until)
    }
}

impl Source {
    /// How many segments there are.
    pub(super) const fn segments(&self) -> u32 {
        match self.body {
            Body::Segments(count) => count,
            Body::Merged(_) => 0,
        }
    }

    /// At most so many samples of each side.
    fn samples_max(&self) -> u64 {
        match &self.row.finished {
            Some(finished) => finished.samples,
            None => u64::from(self.segments()) * u64::from(self.row.segment_samples),
        }
    }
}

/// How many of the wanted samples are silence, since their segment was lost.
fn lost_of(row: &Recording, wanted: &Range<u64>) -> u64 {
    let Some(finished) = &row.finished else { return 0 };
    let whole = u64::from(row.segment_samples);
    let lost = |index: &u32| {
        let from = (u64::from(*index) * whole).max(wanted.start);
        let until = (u64::from(*index) * whole + whole).min(finished.samples).min(wanted.end);
        until.saturating_sub(from)
    };
    finished.lost_segments.iter().map(lost).sum()
}
