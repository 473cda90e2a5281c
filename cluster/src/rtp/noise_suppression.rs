//! Noise taken out of what a caller says, by RNNoise's recurrent network (Valin, 2018; the `nnnoiseless` crate).
//!
//! The network was made for 48 kHz, so telephone audio is brought there and back; its upper bands are empty then. What
//! comes out is 10 ms late, and the filters' 3 ms.

use std::sync::{Arc, LazyLock};

use nnnoiseless::{DenoiseState, RnnModel};
use serde::{Deserialize, Serialize};

use super::FRAME;
use super::resampler::{Kernel, Resampler};

/// How often 8 kHz goes into 48 kHz.
const TIMES: usize = 6;
/// Samples at 8 kHz that make one at 48 kHz.
const TAPS: usize = 24;
/// Samples of a frame at 48 kHz: two of the network's.
const WIDE: usize = FRAME * TIMES;

/// Whether noise is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// Never.
    #[default]
    Off,
    /// From what voice activity and the recogniser hear; the recording stays as it came.
    Hearing,
}

static MODEL: LazyLock<RnnModel> = LazyLock::new(RnnModel::default);
static NARROWING: LazyLock<Option<Arc<Kernel>>> = LazyLock::new(|| Kernel::new(48_000).map(Arc::new));
static WIDENING: LazyLock<[[f32; TAPS]; TIMES]> = LazyLock::new(widening);

/// The filter between the samples: for each of the six places, the weights of the samples around it.
fn widening() -> [[f32; TAPS]; TIMES] {
    std::array::from_fn(|place| {
        let weight = |tap: usize| {
            let distance = tap as f32 - (TAPS / 2 - 1) as f32 - place as f32 / TIMES as f32;
            let angle = std::f32::consts::PI * distance * 0.94;
            let sinc = if angle.abs() < 1e-6 { 1.0 } else { angle.sin() / angle };
            let across = (distance / (TAPS / 2) as f32).clamp(-1.0, 1.0);
            sinc * (std::f32::consts::FRAC_PI_2 * across).cos().powi(2)
        };
        let row: [f32; TAPS] = std::array::from_fn(weight);
        let sum: f32 = row.iter().sum();
        row.map(|value| value / sum)
    })
}

/// One caller's.
pub struct NoiseSuppression {
    network: Box<DenoiseState<'static>>,
    /// The last samples, and room for a frame after them.
    line: [f32; TAPS - 1 + FRAME],
    narrowing: Resampler,
}

impl std::fmt::Debug for NoiseSuppression {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NoiseSuppression")
    }
}

impl NoiseSuppression {
    /// One for a caller. `None` where the filters can't be made.
    #[must_use]
    pub fn new() -> Option<Self> {
        let mut narrowing = Resampler::new(Arc::clone(NARROWING.as_ref()?));
        // What the filter looks ahead, so that from now on a frame in is a frame out.
        narrowing.give(&vec![0; narrowing.wants(1)]);
        Some(Self { network: DenoiseState::with_model(&MODEL), line: [0.0; TAPS - 1 + FRAME], narrowing })
    }

    /// Takes the noise out of 20 ms.
    pub fn frame(&mut self, audio: &mut [i16; FRAME]) {
        self.line.copy_within(FRAME.., 0);
        for (to, from) in self.line.iter_mut().skip(TAPS - 1).zip(audio.iter()) {
            *to = f32::from(*from);
        }
        let mut wide = [0.0; WIDE];
        for (six, around) in wide.chunks_exact_mut(TIMES).zip(self.line.windows(TAPS)) {
            for (sample, weights) in six.iter_mut().zip(WIDENING.iter()) {
                *sample = around.iter().zip(weights).map(|(one, weight)| one * weight).sum();
            }
        }
        let mut clean = [0.0; WIDE];
        for (to, from) in
            clean.chunks_exact_mut(DenoiseState::FRAME_SIZE).zip(wide.chunks_exact(DenoiseState::FRAME_SIZE))
        {
            self.network.process_frame(to, from);
        }
        let clean = clean.map(|sample| sample.clamp(-32_768.0, 32_767.0) as i16);
        self.narrowing.give(&clean);
        if self.narrowing.take(audio) < FRAME {
            // Can't be: a frame in is a frame out.
            audio.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech() -> Vec<i16> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/speech/librivox-0880-8khz.wav");
        let once: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
        once.repeat(3)
    }

    fn noise(seed: u32, amplitude: i32) -> impl FnMut() -> i16 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as i32 % (2 * amplitude + 1) - amplitude) as i16
        }
    }

    fn through(samples: &[i16]) -> Vec<i16> {
        let mut suppression = NoiseSuppression::new().unwrap();
        let (frames, _) = samples.as_chunks::<FRAME>();
        frames
            .iter()
            .flat_map(|frame| {
                let mut frame = *frame;
                suppression.frame(&mut frame);
                frame
            })
            .collect()
    }

    fn energy(samples: &[i16]) -> f64 {
        samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64
    }

    #[test]
    fn noise_goes_and_speech_stays() {
        let mut hiss = noise(7, 900);
        let alone: Vec<i16> = (0..40_000).map(|_| hiss()).collect();
        let left = 10.0 * (energy(&through(&alone)[8_000..]) / energy(&alone[8_000..])).log10();
        assert!(left < -12.0, "{left} dB of the noise are left");
        let said = speech();
        let heard = through(&said);
        let said = &said[..heard.len()];
        // At the delay at which they are most alike.
        let alike = (0..400)
            .map(|delay| {
                let later = &heard[8_000 + delay..said.len() - 400 + delay];
                let said = &said[8_000..said.len() - 400];
                let product: f64 = said.iter().zip(later).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                (delay, product / said.len() as f64 / (energy(said) * energy(later)).sqrt())
            })
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap();
        assert!(alike.1 > 0.9 && alike.0 < 160, "{alike:?}");
    }
}
