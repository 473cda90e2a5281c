//! From an engine's sampling rate to the telephone's 8 kHz: a polyphase low-pass filter (Kaiser window).

use std::sync::Arc;

/// The rate that comes out, in hertz.
const OUT_HZ: u32 = 8_000;
/// The filter's length in output samples: 3 ms.
const LENGTH: usize = 24;
/// Where the filter's edge lies, in hertz: flat to 3.1 kHz, gone at 4.3 kHz.
const EDGE_HZ: f32 = 3_700.0;
/// The window's shape: 60 dB.
const BETA: f32 = 5.65;
/// The most phases a filter may have; rates that need more are no engine's.
const MOST_PHASES: usize = 640;

/// A filter, shared by every stream of its rate.
#[derive(Debug)]
pub struct Kernel {
    rate_hz: u32,
    phases: usize,
    /// Input samples per output sample, in phases.
    step: usize,
    taps: usize,
    coefficients: Vec<f32>,
}

impl Kernel {
    /// The filter for a rate from 8 to 96 kHz; `None` for others.
    #[must_use]
    pub fn new(rate_hz: u32) -> Option<Self> {
        if !(OUT_HZ..=96_000).contains(&rate_hz) {
            return None;
        }
        let divisor = greatest_common_divisor(rate_hz, OUT_HZ);
        let phases = (OUT_HZ / divisor) as usize;
        if phases > MOST_PHASES {
            return None;
        }
        let taps = (LENGTH * rate_hz as usize).div_ceil(OUT_HZ as usize).next_multiple_of(8);
        let mut coefficients = Vec::with_capacity(phases * taps);
        for phase in 0..phases {
            let row: Vec<f32> = (0..taps).map(|tap| coefficient(rate_hz, taps, tap, phase, phases)).collect();
            let sum: f32 = row.iter().sum();
            coefficients.extend(row.iter().map(|value| value / sum));
        }
        Some(Self { rate_hz, phases, step: (rate_hz / divisor) as usize, taps, coefficients })
    }

    /// The rate it is for.
    #[must_use]
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }
}

/// The windowed sinc, centred on the output sample's place among the input samples.
fn coefficient(rate_hz: u32, taps: usize, tap: usize, phase: usize, phases: usize) -> f32 {
    let centre = (taps / 2 - 1) as f32 + phase as f32 / phases as f32;
    let from_centre = tap as f32 - centre;
    let edge = 2.0 * EDGE_HZ / rate_hz as f32;
    let angle = std::f32::consts::PI * edge * from_centre;
    let sinc = if angle.abs() < 1e-6 { 1.0 } else { angle.sin() / angle };
    let across = from_centre / (taps as f32 / 2.0);
    sinc * bessel(BETA * (1.0 - across * across).max(0.0).sqrt())
}

/// The modified Bessel function of the first kind and order zero.
fn bessel(x: f32) -> f32 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..24u8 {
        term *= (x / (2.0 * f32::from(k))).powi(2);
        sum += term;
    }
    sum
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

/// One stream.
#[derive(Debug)]
pub struct Resampler {
    kernel: Arc<Kernel>,
    /// Input that the next outputs still need.
    line: Vec<f32>,
    phase: usize,
}

impl Resampler {
    /// A stream that begins with silence before its first sample, so that nothing is delayed.
    #[must_use]
    pub fn new(kernel: Arc<Kernel>) -> Self {
        let before = kernel.taps / 2 - 1;
        let mut line = Vec::with_capacity(kernel.taps + kernel.step * 160 / kernel.phases + 8);
        line.resize(before, 0.0);
        Self { kernel, line, phase: 0 }
    }

    /// How many more input samples `outputs` take.
    #[must_use]
    pub fn wants(&self, outputs: usize) -> usize {
        if outputs == 0 {
            return 0;
        }
        let last = (self.phase + (outputs - 1) * self.kernel.step) / self.kernel.phases;
        (last + self.kernel.taps).saturating_sub(self.line.len())
    }

    /// Takes input.
    pub fn give(&mut self, input: &[i16]) {
        self.line.extend(input.iter().map(|sample| f32::from(*sample)));
    }

    /// Takes the silence after the last sample, so that the last samples come out.
    pub fn finish(&mut self) {
        self.line.resize(self.line.len() + self.kernel.taps / 2, 0.0);
    }

    /// Fills the start of `out` with as much as the input allows, and returns how much that was.
    pub fn take(&mut self, out: &mut [i16]) -> usize {
        let kernel = &self.kernel;
        let (mut at, mut made) = (0, 0);
        for sample in out.iter_mut() {
            let Some(window) = self.line.get(at..at + kernel.taps) else { break };
            let row = self.phase * kernel.taps;
            let Some(coefficients) = kernel.coefficients.get(row..row + kernel.taps) else { break };
            *sample = product(window, coefficients) as i16;
            made += 1;
            self.phase += kernel.step;
            at += self.phase / kernel.phases;
            self.phase %= kernel.phases;
        }
        self.line.drain(..at.min(self.line.len()));
        made
    }
}

/// The sum of products, in eight lanes so that the compiler can use vector instructions.
fn product(window: &[f32], coefficients: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    for (eight, by) in window.chunks_exact(8).zip(coefficients.chunks_exact(8)) {
        for ((lane, value), by) in lanes.iter_mut().zip(eight).zip(by) {
            *lane += value * by;
        }
    }
    lanes.iter().sum::<f32>().clamp(-32_768.0, 32_767.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate_hz: u32, hz: f32, count: usize) -> Vec<i16> {
        let step = hz * std::f32::consts::TAU / rate_hz as f32;
        (0..count).map(|index| (10_000.0 * (index as f32 * step).sin()) as i16).collect()
    }

    fn resample(rate_hz: u32, input: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(Arc::new(Kernel::new(rate_hz).unwrap()));
        let (mut output, mut rest, mut finished) = (Vec::new(), input, false);
        loop {
            let (piece, after) = rest.split_at(resampler.wants(160).min(rest.len()));
            resampler.give(piece);
            rest = after;
            if rest.is_empty() && !finished {
                resampler.finish();
                finished = true;
            }
            let mut frame = [0; 160];
            let made = resampler.take(&mut frame);
            output.extend(&frame[..made]);
            if made < 160 {
                return output;
            }
        }
    }

    fn rms(samples: &[i16]) -> f32 {
        (samples.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn a_tone_in_the_band_passes_in_time_and_in_full() {
        for rate_hz in [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000] {
            for hz in [200.0, 1_000.0, 3_000.0] {
                let output = resample(rate_hz, &tone(rate_hz, hz, rate_hz as usize));
                assert!(output.len().abs_diff(8_000) <= 1, "{rate_hz}: {}", output.len());
                let truth = tone(8_000, hz, 8_000);
                let error: Vec<i16> =
                    output[100..7_900].iter().zip(&truth[100..]).map(|(made, real)| made - real).collect();
                assert!(rms(&error) < rms(&truth) / 30.0, "{rate_hz} {hz}: {}", rms(&error));
            }
        }
    }

    #[test]
    fn a_tone_above_the_band_is_gone() {
        for rate_hz in [16_000, 22_050, 24_000, 48_000] {
            for hz in [4_600.0, 6_000.0, 7_500.0] {
                let output = resample(rate_hz, &tone(rate_hz, hz, rate_hz as usize));
                assert!(rms(&output[100..7_900]) < 20.0, "{rate_hz} {hz}: {}", rms(&output[100..7_900]));
            }
        }
    }

    #[test]
    fn rates_that_no_engine_has_are_refused() {
        assert!([0, 7_999, 8_001, 44_101, 200_000].iter().all(|rate| Kernel::new(*rate).is_none()));
    }

    #[test]
    fn the_loudest_input_does_not_wrap() {
        let square: Vec<i16> =
            (0..24_000).map(|index| if index / 40 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let output = resample(24_000, &square);
        assert!(
            output.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > 60_000).count() < output.len() / 10
        );
    }
}
