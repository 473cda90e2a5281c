//! 8 kHz to 16 kHz for a stream: the samples between by a windowed sinc, the others as they came.

/// Old samples on each side of a new one.
const HALF: usize = 24;
/// Of the Kaiser window: some −70 dB for the mirror image of the telephone band.
const BETA: f64 = 7.0;

/// One stream's interpolation, 24 old samples (3 ms) late.
#[derive(Debug, Clone)]
pub struct Upsampler {
    taps: [f32; HALF],
    line: [i16; 2 * HALF],
}

impl Default for Upsampler {
    fn default() -> Self {
        Self { taps: taps(), line: [0; 2 * HALF] }
    }
}

impl Upsampler {
    /// Writes two samples for each of `narrow` behind what `wide` holds.
    pub fn push(&mut self, narrow: &[i16], wide: &mut Vec<i16>) {
        for sample in narrow {
            self.line.rotate_left(1);
            if let Some(newest) = self.line.last_mut() {
                *newest = *sample;
            }
            let (older, newer) = self.line.split_at(HALF);
            wide.push(older.last().copied().unwrap_or(0));
            let pairs = older.iter().rev().zip(newer).zip(&self.taps);
            let between: f32 = pairs.map(|((a, b), tap)| (f32::from(*a) + f32::from(*b)) * tap).sum();
            wide.push(between.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16);
        }
    }
}

/// The weights of the pairs around a new sample, the nearest first; together with their mirror they sum to one.
fn taps() -> [f32; HALF] {
    let raw: Vec<f64> = (0..HALF)
        .map(|pair| {
            let distance = pair as f64 + 0.5;
            let sinc = (std::f64::consts::PI * distance).sin() / (std::f64::consts::PI * distance);
            sinc * bessel_zero(BETA * (1.0 - (distance / HALF as f64).powi(2)).sqrt())
        })
        .collect();
    let sum: f64 = raw.iter().sum::<f64>() * 2.0;
    std::array::from_fn(|pair| (raw.get(pair).copied().unwrap_or(0.0) / sum) as f32)
}

/// The modified Bessel function of the first kind and order zero, by its series.
fn bessel_zero(x: f64) -> f64 {
    let terms = (1..40).scan(1.0, |term, k| {
        *term *= (x / 2.0 / f64::from(k)).powi(2);
        Some(*term)
    });
    1.0 + terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_and_level_in_any_pieces() {
        for hz in [300.0, 1_000.0, 3_300.0] {
            let tone =
                |rate: f64, n: usize| (8_000.0 * (std::f64::consts::TAU * hz * n as f64 / rate).sin()) as i16;
            let narrow: Vec<i16> = (0..2_000).map(|n| tone(8_000.0, n)).collect();
            let mut wide = Vec::new();
            let mut upsampler = Upsampler::default();
            for piece in narrow.chunks(37) {
                upsampler.push(piece, &mut wide);
            }
            assert_eq!(wide.len(), 4_000);
            for (n, sample) in wide.iter().enumerate().skip(200) {
                let expected = tone(16_000.0, n - 2 * HALF);
                assert!((i32::from(*sample) - i32::from(expected)).abs() < 80, "{hz} Hz, sample {n}");
            }
        }
    }
}
