//! Pages of Ogg/Opus to PCM, from the middle as well.

use std::io::{Cursor, SeekFrom};
use std::ops::Range;

use ogg::PacketReader;
use opus::{Channels, Decoder};

use super::encode::{GRANULES_HZ, PACKET_GRANULES, failed};
use crate::storage::recordings::{Error, Result};

/// What a decoder must hear before it sounds right (RFC 7845 section 4.6), in granules: 80 ms.
const WARM_UP: u64 = 3_840;
/// The largest frame of Opus, 120 ms at 48 kHz, both sides.
const FRAME_MAX: usize = 5_760 * 2;

/// Decodes chunks, in order, and keeps the wanted samples.
pub(in crate::storage::recordings) struct Decode {
    decoder: Decoder,
    scale: u64,
    lead: u64,
    wanted: Range<u64>,
    frame: Vec<i16>,
}

impl Decode {
    /// For the samples (of each side, at `rate_hz`) in `wanted` of a stream with so many granules of lead.
    pub(in crate::storage::recordings) fn new(rate_hz: u32, lead: u64, wanted: Range<u64>) -> Result<Self> {
        let decoder = Decoder::new(rate_hz, Channels::Stereo).map_err(failed)?;
        let scale = GRANULES_HZ / u64::from(rate_hz.max(1));
        Ok(Self { decoder, scale, lead, wanted, frame: vec![0; FRAME_MAX] })
    }

    /// Whether a chunk with these granules is needed.
    pub(in crate::storage::recordings) fn needs(&self, granules: &Range<u64>) -> bool {
        let from = (self.lead + self.wanted.start.saturating_mul(self.scale)).saturating_sub(WARM_UP);
        let until = self.lead.saturating_add(self.wanted.end.saturating_mul(self.scale));
        from < granules.end && granules.start < until
    }

    /// Decodes a chunk, whole pages of which the first begins at this granule.
    pub(in crate::storage::recordings) fn chunk(
        &mut self,
        pages: Vec<u8>,
        granules: &Range<u64>,
        sink: &mut (dyn FnMut(&[i16]) -> Result<()> + Send),
    ) -> Result<()> {
        let wrong = |error: ogg::OggReadError| Error::Codec { why: error.to_string() };
        let mut reader = PacketReader::new(Cursor::new(pages));
        // A reader that was moved takes pages from the middle of a stream.
        reader.seek_bytes(SeekFrom::Start(0)).map_err(|error| Error::Codec { why: error.to_string() })?;
        let mut at = granules.start;
        while let Some(packet) = reader.read_packet().map_err(wrong)? {
            if at == 0 && (packet.data.starts_with(b"OpusHead") || packet.data.starts_with(b"OpusTags")) {
                continue;
            }
            let count = self.decoder.decode(&packet.data, &mut self.frame, false).map_err(failed)?;
            // Where its first sample lies, and what of it is wanted; the lead lies before the first of all.
            let first = at / self.scale;
            let lead = self.lead / self.scale;
            let end = (granules.end / self.scale).min(self.wanted.end.saturating_add(lead));
            let from = self.wanted.start.saturating_add(lead).max(first).min(first + count as u64) - first;
            let until = end.clamp(first, first + count as u64) - first;
            let (from, until) = (usize::try_from(from * 2), usize::try_from(until * 2));
            if let (Ok(from), Ok(until)) = (from, until)
                && let Some(samples) = self.frame.get(from..until)
            {
                sink(samples)?;
            }
            at += PACKET_GRANULES;
        }
        Ok(())
    }
}
