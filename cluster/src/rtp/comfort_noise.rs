//! Comfort noise (RFC 3389): what a far side that stops sending in silence wants heard instead.
//!
//! The level is taken from the packet; the spectrum is not: the noise is white, passed once through a low-pass,
//! which is near to a room's.

/// The static payload type (RFC 3551 table 4).
pub const PAYLOAD_TYPE: u8 = 13;
/// The level of a packet that names none.
const LEVEL_UNNAMED: u8 = 70;
/// The most that is played, whatever is asked for: -30 dBov. Louder is no background.
const LEVEL_LOUDEST: u8 = 30;
/// How much of the last value goes into the next.
const SMOOTHING: f32 = 0.6;
/// What the low-pass leaves of a white noise's amplitude: sqrt((1 - s) / (1 + s)).
const LEFT: f32 = 0.5;

/// Noise at a level. The same packets give the same noise.
#[derive(Debug, Clone)]
pub struct ComfortNoise {
    amplitude: f32,
    state: u32,
    last: f32,
}

impl ComfortNoise {
    /// What a payload asks for: its first byte is the level below overload, in decibels.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Self {
        let level = payload.first().map_or(LEVEL_UNNAMED, |level| level & 0x7f).max(LEVEL_LOUDEST);
        // The root of the mean square of a full-scale square wave is 0 dBov; of even noise it is 1/sqrt(3).
        let rms = 32_768.0 * 10_f32.powf(-f32::from(level) / 20.0);
        Self { amplitude: rms * 3_f32.sqrt() / LEFT, state: 0x5eed, last: 0.0 }
    }

    /// A later packet: the level changes, the noise goes on.
    pub fn follow(&mut self, payload: &[u8]) {
        self.amplitude = Self::parse(payload).amplitude;
    }

    /// The next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let even = (self.state >> 16) as f32 / 32_768.0 - 1.0;
            self.last = self.last * SMOOTHING + even * (1.0 - SMOOTHING);
            *sample = (self.last * self.amplitude) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level_dbov(payload: &[u8]) -> f32 {
        let mut samples = [0; 8_000];
        ComfortNoise::parse(payload).fill(&mut samples);
        let energy: f32 = samples.iter().map(|sample| f32::from(*sample).powi(2)).sum();
        20.0 * ((energy / samples.len() as f32).sqrt() / 32_768.0).log10()
    }

    #[test]
    fn the_level_is_the_asked_one() {
        for level in [30_u8, 45, 60] {
            let got = level_dbov(&[level]);
            assert!((got + f32::from(level)).abs() < 1.5, "asked for -{level} dBov, got {got}");
        }
    }

    #[test]
    fn nothing_that_is_asked_for_is_loud() {
        for payload in [&[0][..], &[0x80], &[], &[5, 1, 2, 3]] {
            assert!(level_dbov(payload) < -28.0, "{payload:?}");
        }
    }
}
