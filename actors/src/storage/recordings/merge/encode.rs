//! PCM to pages of Ogg/Opus, as it comes (RFC 7845).

use std::borrow::Cow;

use ogg::{PacketWriteEndInfo, PacketWriter};
use opus::{Application, Bitrate, Channels, Encoder, Signal};

use super::Settings;
use crate::storage::recordings::{Error, Result};

/// What Ogg/Opus counts in, whatever is recorded (RFC 7845 section 4).
pub(super) const GRANULES_HZ: u64 = 48_000;
/// Samples of a packet of 20 ms, at that rate.
pub(super) const PACKET_GRANULES: u64 = 960;
/// Packets in a page: a second.
const PAGE_PACKETS: u64 = 50;
/// The largest packet (RFC 6716 section 3.2.1), so that a page fits a chunk.
const PACKET_BYTES_MAX: usize = 1_275;
/// Of the one logical stream there is.
const SERIAL: u32 = 1;
/// Who made the file.
const VENDOR: &str = "strowger";

/// Whole pages, and the granule position where the last of them ends.
pub(in crate::storage::recordings) struct Pages {
    pub(in crate::storage::recordings) bytes: Vec<u8>,
    pub(in crate::storage::recordings) until: u64,
}

/// An encoder of both sides.
pub(in crate::storage::recordings) struct OggOpus {
    encoder: Encoder,
    writer: PacketWriter<'static, Vec<u8>>,
    /// Samples of both sides in a packet.
    frame: usize,
    /// Granules per sample.
    scale: u64,
    /// What the decoder drops at the start, in granules.
    lead: u64,
    /// Not encoded yet.
    samples: Vec<i16>,
    /// Encoded, and not written: the last packet must be known as the last.
    packet: Option<Vec<u8>>,
    /// Packets so far, that one included.
    packets: u64,
    /// Samples of each side so far.
    heard: u64,
}

impl OggOpus {
    pub(in crate::storage::recordings) fn new(rate_hz: u32, settings: &Settings) -> Result<Self> {
        let mut encoder = Encoder::new(rate_hz, Channels::Stereo, Application::Voip).map_err(failed)?;
        encoder.set_bitrate(Bitrate::Bits(settings.bits_per_second)).map_err(failed)?;
        encoder.set_complexity(settings.complexity).map_err(failed)?;
        encoder.set_signal(Signal::Voice).map_err(failed)?;
        let scale = GRANULES_HZ / u64::from(rate_hz.max(1));
        let lead = u64::try_from(encoder.get_lookahead().map_err(failed)?).unwrap_or_default() * scale;
        let mut writer = PacketWriter::new(Vec::new());
        let mut header =
            |packet: Vec<u8>| writer.write_packet(packet, SERIAL, PacketWriteEndInfo::EndPage, 0);
        header(head(rate_hz, lead)).map_err(written)?;
        header(tags()).map_err(written)?;
        Ok(Self {
            encoder,
            writer,
            frame: (rate_hz / 50) as usize * 2,
            scale,
            lead,
            samples: Vec::new(),
            packet: None,
            packets: 0,
            heard: 0,
        })
    }

    /// What the decoder drops at the start, in granules.
    pub(in crate::storage::recordings) const fn lead(&self) -> u64 {
        self.lead
    }

    /// Takes samples, both sides in turn, and gives the pages that are full.
    pub(in crate::storage::recordings) fn push(&mut self, samples: &[i16]) -> Result<Option<Pages>> {
        self.heard += (samples.len() / 2) as u64;
        self.samples.extend_from_slice(samples);
        let whole = self.samples.len() / self.frame * self.frame;
        let ready: Vec<i16> = self.samples.drain(..whole).collect();
        let mut until = None;
        for frame in ready.chunks_exact(self.frame) {
            until = self.encode(frame)?.or(until);
        }
        Ok(until.map(|until| Pages { bytes: std::mem::take(self.writer.inner_mut()), until }))
    }

    /// Ends the stream: the last pages.
    pub(in crate::storage::recordings) fn finish(mut self) -> Result<Pages> {
        let until = self.lead + self.heard * self.scale;
        // The encoder's lead comes out at the end.
        while self.packets * PACKET_GRANULES < until.max(1) {
            let mut frame: Vec<i16> = self.samples.drain(..).collect();
            frame.resize(self.frame, 0);
            self.encode(&frame)?;
        }
        let last = self.packet.take().unwrap_or_default();
        self.write(last, PacketWriteEndInfo::EndStream, until)?;
        Ok(Pages { bytes: self.writer.into_inner(), until })
    }

    /// Encodes a frame, and writes the packet before it; where a page ended with that, its granule position.
    fn encode(&mut self, frame: &[i16]) -> Result<Option<u64>> {
        let packet = self.encoder.encode_vec(frame, PACKET_BYTES_MAX).map_err(failed)?;
        let granule = self.packets * PACKET_GRANULES;
        let ends = self.packets.is_multiple_of(PAGE_PACKETS);
        let before = self.packet.replace(packet);
        self.packets += 1;
        let Some(before) = before else { return Ok(None) };
        let end = if ends { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
        self.write(before, end, granule)?;
        Ok(ends.then_some(granule))
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo, granule: u64) -> Result<()> {
        self.writer.write_packet(Cow::Owned(packet), SERIAL, end, granule).map_err(written)
    }
}

/// The identification header (RFC 7845 section 5.1).
fn head(rate_hz: u32, lead: u64) -> Vec<u8> {
    let mut head = b"OpusHead".to_vec();
    head.extend([1, 2]);
    head.extend(u16::try_from(lead).unwrap_or(u16::MAX).to_le_bytes());
    head.extend(rate_hz.to_le_bytes());
    // No gain; channels as left and right.
    head.extend([0, 0, 0]);
    head
}

/// The comment header (RFC 7845 section 5.2): nothing about the call.
fn tags() -> Vec<u8> {
    let mut tags = b"OpusTags".to_vec();
    tags.extend((VENDOR.len() as u32).to_le_bytes());
    tags.extend(VENDOR.as_bytes());
    tags.extend(0_u32.to_le_bytes());
    tags
}

pub(super) fn failed(error: opus::Error) -> Error {
    Error::Codec { why: error.to_string() }
}

fn written(error: std::io::Error) -> Error {
    Error::Codec { why: error.to_string() }
}
