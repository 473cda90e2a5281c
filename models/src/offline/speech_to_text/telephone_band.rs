//! The telephone band for ears that expect twice as much.
//!
//! PocketSphinx's model was trained on 16 kHz audio. Telephone audio brought to 16 kHz has nothing above 4 kHz, and
//! the model takes that silence for a property of every sound: it understands nothing. So the empty band is filled
//! with the mirror image of the lower one, quieter, and with a little noise: fricatives sound bright again, and
//! nothing is ever silent.

use std::f64::consts::PI;

/// Coefficients of each filter; odd, so that both delay by a whole number of samples.
const TAPS: usize = 63;
/// Gain of the mirrored band.
const MIRROR: f64 = 0.25;
/// Standard deviation of the noise, in units of a 16-bit sample.
const NOISE: f32 = 20.0;

/// Turns 8 kHz audio into 16 kHz audio, piece by piece. The same audio always becomes the same audio.
#[derive(Debug, Clone)]
pub(super) struct BandFiller {
    /// The two phases of low-pass and high-pass together: an output sample is a weighted sum of input samples, so
    /// both filters are one.
    phases: [Vec<f32>; 2],
    /// The last inputs, newest last.
    history: Vec<f32>,
    seed: u64,
}

impl BandFiller {
    pub(super) fn new() -> Self {
        let mut phases = [Vec::new(), Vec::new()];
        for (tap, weight) in weights().into_iter().enumerate().rev() {
            // Zero-stuffed input: even outputs meet the even taps, odd outputs the odd ones.
            if let Some(phase) = phases.get_mut(tap % 2) {
                phase.push(weight);
            }
        }
        let history = vec![0.0; TAPS / 2 + 1];
        Self { phases, history, seed: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Appends the 16 kHz form of `narrow` to `wide`.
    pub(super) fn fill(&mut self, narrow: &[i16], wide: &mut Vec<i16>) {
        wide.reserve(narrow.len() * 2);
        for sample in narrow {
            self.history.rotate_left(1);
            if let Some(newest) = self.history.last_mut() {
                *newest = f32::from(*sample);
            }
            for phase in 0..2 {
                let sum = self.phases.get(phase).map_or(0.0, |weights| {
                    let newest = self.history.len() - weights.len();
                    let inputs = self.history.get(newest..).unwrap_or_default();
                    weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum()
                });
                let noisy = sum + self.noise();
                wide.push(noisy.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16);
            }
        }
    }

    /// Near enough to Gaussian: the sum of four uniform values.
    fn noise(&mut self) -> f32 {
        // xorshift64: the noise needs to be white, not unpredictable.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let sum: f32 = (0..4).map(|part| f32::from((self.seed >> (16 * part)) as u16) / 65_536.0 - 0.5).sum();
        sum * NOISE * 3.0_f32.sqrt()
    }
}

/// Low-pass at 4 kHz, doubled for the zeros between samples, plus the high-pass for the mirror image.
fn weights() -> Vec<f32> {
    let middle = (TAPS / 2) as f64;
    (0..TAPS)
        .map(|tap| {
            let distance = tap as f64 - middle;
            let window = 0.54 + 0.46 * (PI * distance / middle).cos();
            let low = if distance == 0.0 { 0.5 } else { (PI * distance / 2.0).sin() / (PI * distance) };
            // The mirrored spectrum of a low-pass is the high-pass.
            let sign = if (tap as i64 - middle as i64) % 2 == 0 { 1.0 } else { -1.0 };
            (2.0 * window * (low + MIRROR * sign * low)) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(hz: f64) -> Vec<i16> {
        let narrow: Vec<i16> =
            (0..4_000).map(|n| (8_000.0 * (2.0 * PI * hz * f64::from(n) / 8_000.0).sin()) as i16).collect();
        let mut wide = Vec::new();
        let mut filler = BandFiller::new();
        for piece in narrow.chunks(160) {
            filler.fill(piece, &mut wide);
        }
        assert_eq!(wide.len(), 8_000);
        wide
    }

    /// The amplitude of `hz` in 16 kHz audio.
    fn amplitude(samples: &[i16], hz: f64) -> f64 {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let angle = 2.0 * PI * hz * n as f64 / 16_000.0;
            real += f64::from(*sample) * angle.cos();
            imaginary += f64::from(*sample) * angle.sin();
        }
        2.0 * real.hypot(imaginary) / samples.len() as f64
    }

    #[test]
    fn the_band_keeps_its_level_and_its_mirror_image_is_quieter() {
        for hz in [500.0, 1_000.0, 3_000.0] {
            let wide = filled(hz);
            let inner = &wide[800..7_200];
            let (here, mirrored) = (amplitude(inner, hz), amplitude(inner, 8_000.0 - hz));
            assert!((here - 8_000.0).abs() < 400.0, "{hz}: {here}");
            assert!((mirrored - 2_000.0).abs() < 200.0, "{hz}: mirrored {mirrored}");
        }
    }

    #[test]
    fn silence_becomes_a_little_noise_and_always_the_same() {
        let mut wide = Vec::new();
        BandFiller::new().fill(&[0; 8_000], &mut wide);
        let power = wide.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / wide.len() as f64;
        assert!((power.sqrt() - 20.0).abs() < 2.0, "{}", power.sqrt());
        let mut again = Vec::new();
        BandFiller::new().fill(&[0; 8_000], &mut again);
        assert_eq!(wide, again);
    }
}
