//! Audio codecs at 8 kHz: G.711 (ITU-T), G.722 (ITU-T), Opus (RFC 6716).
//!
//! The engines hear 8 kHz, so that is what every codec is brought to: G.722 by filters of half its band, Opus by
//! asking it for its narrow band. A decoder and an encoder belong to one stream in one direction; G.711's have no state.

use std::sync::{Arc, LazyLock};

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};
use models::audio::g711::Law;
use models::audio::{Before, upsample};
use opus::{Application, Channels};
use serde::{Deserialize, Serialize};

use super::resampler::{Kernel, Resampler};

/// Samples per second, of every codec here.
const RATE_HZ: u32 = 8_000;
/// Opus: bits per second that we send; its wide band would not be heard.
const OPUS_BITS_PER_S: i32 = 16_000;
/// Opus: how hard it tries, of 10; more costs more than it is worth at this rate.
const OPUS_COMPLEXITY: i32 = 3;
/// The longest Opus packet that is sent, in bytes.
const OPUS_BYTES_MAX: usize = 480;
/// G.722: samples at 8 kHz that are coded in one go, 10 ms, and the same at 16 kHz.
const NARROW: usize = 80;
const WIDE: usize = 2 * NARROW;

static HALVING: LazyLock<Option<Arc<Kernel>>> = LazyLock::new(|| Kernel::new(2 * RATE_HZ).map(Arc::new));

/// A codec and what of it is known without packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.722, static payload type 9. Its timestamps count 8,000 a second although it samples twice as often
    /// (RFC 3551 section 4.5.2).
    G722,
    /// Opus, a dynamic payload type; its timestamps count 48,000 a second (RFC 7587 section 4.1).
    Opus,
}

impl Codec {
    /// How far the timestamp moves per sample at 8 kHz.
    #[must_use]
    pub const fn ticks_per_sample(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 1,
            Self::Opus => 6,
        }
    }

    const fn law(self) -> Option<Law> {
        match self {
            Self::Pcmu => Some(Law::Mu),
            Self::Pcma => Some(Law::A),
            Self::G722 | Self::Opus => None,
        }
    }
}

/// Packets to samples.
pub enum Decoder {
    /// G.711.
    G711(Law),
    /// G.722, and what halves its rate.
    G722(Box<(G722Decoder, Resampler)>),
    /// Opus.
    Opus(opus::Decoder),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::G711(_) => "Decoder::G711",
            Self::G722(_) => "Decoder::G722",
            Self::Opus(_) => "Decoder::Opus",
        })
    }
}

impl Decoder {
    /// One for a stream. `None` where the library has no memory for it.
    #[must_use]
    pub fn new(codec: Codec) -> Option<Self> {
        if let Some(law) = codec.law() {
            return Some(Self::G711(law));
        }
        if codec == Codec::G722 {
            let mut halving = Resampler::new(Arc::clone(HALVING.as_ref()?));
            // What the filter looks ahead, so that from now on two samples in are one out.
            halving.give(&vec![0; halving.wants(1)]);
            return Some(Self::G722(Box::new((G722Decoder::new(), halving))));
        }
        opus::Decoder::new(RATE_HZ, Channels::Mono).ok().map(Self::Opus)
    }

    /// Decodes a packet into `out`, which is cut where it is longer, and returns the samples. 0 for what is no
    /// packet of this codec.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        match self {
            Self::G711(law) => law.decode_into(payload, out),
            Self::G722(both) => {
                let (decoder, halving) = both.as_mut();
                let mut decoded = 0;
                for (bytes, out) in payload.chunks(NARROW).zip(out.chunks_mut(NARROW)) {
                    let mut wide = [0; WIDE];
                    let bytes = bytes.get(..bytes.len().min(out.len())).unwrap_or_default();
                    let count = decoder.decode_into(bytes, &mut wide).unwrap_or(0);
                    halving.give(wide.get(..count).unwrap_or_default());
                    decoded += halving.take(out.get_mut(..count / 2).unwrap_or_default());
                }
                decoded
            }
            // An empty packet would be taken for a lost one.
            Self::Opus(_) if payload.is_empty() => 0,
            Self::Opus(decoder) => decoder.decode(payload, out, false).unwrap_or(0).min(out.len()),
        }
    }
}

/// Samples to packets.
pub enum Encoder {
    /// G.711.
    G711(Law),
    /// G.722, and what the filter that doubles its rate remembers.
    G722(Box<(G722Encoder, Before)>),
    /// Opus.
    Opus(opus::Encoder),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::G711(_) => "Encoder::G711",
            Self::G722(_) => "Encoder::G722",
            Self::Opus(_) => "Encoder::Opus",
        })
    }
}

impl Encoder {
    /// One for a stream. `None` where the library has no memory for it.
    #[must_use]
    pub fn new(codec: Codec) -> Option<Self> {
        if let Some(law) = codec.law() {
            return Some(Self::G711(law));
        }
        if codec == Codec::G722 {
            return Some(Self::G722(Box::new((G722Encoder::new(), Before::default()))));
        }
        let mut encoder = opus::Encoder::new(RATE_HZ, Channels::Mono, Application::Voip).ok()?;
        encoder.set_bitrate(opus::Bitrate::Bits(OPUS_BITS_PER_S)).ok()?;
        encoder.set_complexity(OPUS_COMPLEXITY).ok()?;
        Some(Self::Opus(encoder))
    }

    /// Encodes `samples`, a multiple of 10 ms up to 60, into `out` and returns the bytes; 0 where they don't fit.
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> usize {
        match self {
            Self::G711(law) => law.encode_into(samples, out),
            Self::G722(both) => {
                let (encoder, before) = both.as_mut();
                let (tens, _) = samples.as_chunks::<NARROW>();
                let mut bytes = 0;
                for (ten, out) in tens.iter().zip(out.chunks_mut(NARROW)) {
                    let mut wide = [0; WIDE];
                    upsample(before, ten, &mut wide);
                    bytes += encoder.encode_into(&wide, out).unwrap_or(0);
                }
                bytes
            }
            Self::Opus(encoder) => {
                let room = out.len().min(OPUS_BYTES_MAX);
                encoder.encode(samples, out.get_mut(..room).unwrap_or_default()).unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

    fn tone(hz: f32, count: usize) -> Vec<i16> {
        let step = hz * std::f32::consts::TAU / 8_000.0;
        (0..count).map(|n| (8_000.0 * (n as f32 * step).sin()) as i16).collect()
    }

    /// How much of `heard` is `said`, at the delay at which it is most.
    fn likeness(said: &[i16], heard: &[i16]) -> f32 {
        let energy = |audio: &[i16]| audio.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>();
        (0..200)
            .map(|delay| {
                let later = &heard[delay..];
                let said = &said[..later.len()];
                let product: f32 = said.iter().zip(later).map(|(a, b)| f32::from(*a) * f32::from(*b)).sum();
                product / (energy(said) * energy(later)).sqrt().max(1.0)
            })
            .fold(0.0, f32::max)
    }

    #[test]
    fn what_is_encoded_is_decoded_in_every_packet_length() {
        for codec in ALL {
            for packet in [80, 160, 320, 480] {
                let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
                let said = tone(440.0, 480 * 20);
                let mut heard = Vec::new();
                for samples in said.chunks(packet) {
                    let (mut bytes, mut out) = ([0; 480], [0; 480]);
                    let length = encoder.encode(samples, &mut bytes);
                    assert!(length > 0 && (codec == Codec::Opus || length == packet), "{codec:?} {length}");
                    let count = decoder.decode(&bytes[..length], &mut out);
                    assert_eq!(count, packet, "{codec:?}");
                    heard.extend_from_slice(&out[..count]);
                }
                let likeness = likeness(&said[1_600..], &heard[1_600..]);
                assert!(likeness > 0.97, "{codec:?} in {packet}: {likeness}");
            }
        }
    }

    #[test]
    fn levels_are_kept() {
        for codec in ALL {
            let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
            let said = tone(700.0, 8_000);
            let mut energy = 0.0;
            for samples in said.chunks(160).take(40) {
                let (mut bytes, mut out) = ([0; 480], [0; 160]);
                let length = encoder.encode(samples, &mut bytes);
                decoder.decode(&bytes[..length], &mut out);
                energy = out.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / 160.0;
            }
            let level = 20.0 * (energy.sqrt() / (8_000.0 / 2_f32.sqrt())).log10();
            assert!(level.abs() < 1.5, "{codec:?}: {level} dB");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_and_nothing_is_no_packet() {
        for codec in ALL {
            let mut decoder = Decoder::new(codec).unwrap();
            assert_eq!(decoder.decode(&[], &mut [0; 160]), 0, "{codec:?}");
            assert!(decoder.decode(&[0x55; 2_000], &mut [0; 160]) <= 160);
        }
    }

    proptest! {
        #[test]
        fn no_payload_panics(payloads in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..400), 1..6,
        )) {
            for codec in ALL {
                let mut decoder = Decoder::new(codec).unwrap();
                for payload in &payloads {
                    let mut out = [0; 1_600];
                    prop_assert!(decoder.decode(payload, &mut out) <= out.len());
                }
            }
        }

        #[test]
        fn no_audio_panics(audio in proptest::collection::vec(any::<i16>(), 480)) {
            for codec in ALL {
                let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
                for packet in [80, 160, 480] {
                    let (mut bytes, mut out) = ([0; 480], [0; 480]);
                    let length = encoder.encode(&audio[..packet], &mut bytes);
                    prop_assert_eq!(decoder.decode(&bytes[..length], &mut out), packet);
                }
            }
        }
    }
}
