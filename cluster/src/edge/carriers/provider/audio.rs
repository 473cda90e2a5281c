//! A stream's coding to samples at 8 kHz and back.

use std::sync::Arc;

use models::audio::g711::Law;
use models::audio::{Before, upsample};

use super::framing::Encoding;
use crate::rtp::FRAME;
use crate::rtp::resampler::{Kernel, Resampler};

/// Twice as fast as a telephone.
const WIDE_HZ: u32 = 16_000;

/// One stream's audio, both ways.
#[derive(Debug)]
pub struct Coding {
    encoding: Encoding,
    halving: Option<Resampler>,
    before: Before,
}

impl Coding {
    /// For a stream. `None` for a rate that is neither 8 nor 16 kHz.
    #[must_use]
    pub fn new(encoding: Encoding) -> Option<Self> {
        let halving = match encoding {
            Encoding::MuLaw | Encoding::Linear { rate_hz: 8_000 } => None,
            Encoding::Linear { rate_hz: WIDE_HZ } => {
                let mut halving = Resampler::new(Arc::new(Kernel::new(WIDE_HZ)?));
                // What the filter looks ahead, so that from now on two samples in are one out.
                halving.give(&vec![0; halving.wants(1)]);
                Some(halving)
            }
            Encoding::Linear { .. } => return None,
        };
        Some(Self { encoding, halving, before: Before::default() })
    }

    /// How it is coded.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The samples of a payload.
    #[must_use]
    pub fn decode(&mut self, payload: &[u8]) -> Vec<i16> {
        if self.encoding == Encoding::MuLaw {
            let mut samples = vec![0; payload.len()];
            Law::Mu.decode_into(payload, &mut samples);
            return samples;
        }
        let (pairs, _) = payload.as_chunks::<2>();
        let samples: Vec<i16> = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        let Some(halving) = &mut self.halving else { return samples };
        halving.give(&samples);
        let mut narrow = vec![0; samples.len() / 2];
        let made = halving.take(&mut narrow);
        narrow.truncate(made);
        narrow
    }

    /// The payload of 20 ms.
    #[must_use]
    pub fn encode(&mut self, audio: &[i16; FRAME]) -> Vec<u8> {
        match self.encoding {
            Encoding::MuLaw => {
                let mut bytes = vec![0; FRAME];
                Law::Mu.encode_into(audio, &mut bytes);
                bytes
            }
            Encoding::Linear { rate_hz: WIDE_HZ } => {
                let mut wide = [0; 2 * FRAME];
                upsample(&mut self.before, audio, &mut wide);
                wide.iter().flat_map(|sample| sample.to_le_bytes()).collect()
            }
            Encoding::Linear { .. } => audio.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_comes_back_in_every_coding() {
        let tone: Vec<i16> = (0_u16..3_200)
            .map(|n| (8_000.0 * (f32::from(n) * 440.0 * std::f32::consts::TAU / 8_000.0).sin()) as i16)
            .collect();
        let wide = Encoding::Linear { rate_hz: 16_000 };
        for encoding in [Encoding::MuLaw, Encoding::Linear { rate_hz: 8_000 }, wide] {
            let mut coding = Coding::new(encoding).unwrap();
            let mut heard = Vec::new();
            for frame in tone.as_chunks::<FRAME>().0 {
                let payload = coding.encode(frame);
                let bytes = match encoding {
                    Encoding::MuLaw => 160,
                    Encoding::Linear { rate_hz } => rate_hz as usize / 25,
                };
                assert_eq!(payload.len(), bytes);
                heard.extend(coding.decode(&payload));
            }
            assert_eq!(heard.len(), tone.len());
            let crossings =
                |audio: &[i16]| audio.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
            assert!(crossings(&heard[400..]).abs_diff(crossings(&tone[400..])) <= 2, "{encoding:?}");
            let loudest = heard[400..].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!((7_000..9_000).contains(&loudest), "{encoding:?}: {loudest}");
        }
        assert!(Coding::new(Encoding::Linear { rate_hz: 44_100 }).is_none());
    }
}
