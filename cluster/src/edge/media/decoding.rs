//! Which decoder a packet goes to, and its place on the 8 kHz timeline.

use super::{Codec, Stream};
use crate::rtp::codec::Decoder;
use crate::rtp::timestamps::Timestamps;

/// The static payload types of G.711 (RFC 3551 table 4).
const STATIC_MU: u8 = 0;
const STATIC_A: u8 = 8;

#[derive(Debug, Default)]
pub(super) struct Decoding {
    decoder: Option<(Codec, Decoder)>,
    timestamps: Timestamps,
    /// The last packet that a decoder with a memory took.
    last: Option<u16>,
}

impl Decoding {
    /// The codec of a packet, where it carries audio.
    pub(super) fn codec(payload_type: u8, stream: &Stream) -> Option<Codec> {
        if payload_type == stream.payload_type {
            return Some(stream.codec);
        }
        // Some senders keep to a static type that was not agreed on; it can't mean anything else.
        match payload_type {
            STATIC_MU if stream.codec.ticks_per_sample() == 1 => Some(Codec::Pcmu),
            STATIC_A if stream.codec.ticks_per_sample() == 1 => Some(Codec::Pcma),
            _ => None,
        }
    }

    /// A packet's timestamp in samples at 8 kHz.
    pub(super) fn timestamp(&mut self, timestamp: u32, stream: &Stream) -> u32 {
        self.timestamps.narrow(timestamp, stream.codec.ticks_per_sample())
    }

    /// Another source sends from now on.
    pub(super) fn restart(&mut self) {
        self.timestamps = Timestamps::default();
        self.last = None;
    }

    /// Decodes a packet; the samples, which are 0 for one that can't be decoded or was decoded before.
    pub(super) fn decode(&mut self, codec: Codec, sequence: u16, payload: &[u8], out: &mut [i16]) -> usize {
        if self.decoder.as_ref().is_none_or(|(present, _)| *present != codec) {
            self.decoder = Decoder::new(codec).map(|decoder| (codec, decoder));
            self.last = None;
        }
        let Some((_, decoder)) = &mut self.decoder else { return 0 };
        if matches!(decoder, Decoder::G711(_)) {
            return decoder.decode(payload, out);
        }
        // The same packet again would move the decoder on twice.
        if self.last.replace(sequence) == Some(sequence) {
            return 0;
        }
        decoder.decode(payload, out)
    }
}
