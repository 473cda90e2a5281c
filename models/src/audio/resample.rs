//! A finished clip at another sampling rate: a polyphase low-pass (windowed sinc), nothing left above the
//! lower of the two bands, no shift in time.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side: more is sharper and slower.
const CROSSINGS: f64 = 20.0;
/// The pass band's edge as a part of the lower Nyquist frequency.
const EDGE: f64 = 0.94;
/// Of the Kaiser window: −80 dB in the stop band.
const BETA: f64 = 7.857;

/// `samples` at `from_hz`, converted to `to_hz`. For whole clips, not for streams: a call keeps no state.
#[must_use]
pub fn resample(samples: &[i16], from_hz: u32, to_hz: u32) -> Vec<i16> {
    if from_hz == to_hz || from_hz == 0 || to_hz == 0 {
        return samples.to_vec();
    }
    let divisor = greatest_common_divisor(from_hz, to_hz);
    let (up, down) = (u64::from(to_hz / divisor), u64::from(from_hz / divisor));
    // In units of the input's samples.
    let cutoff = EDGE * (f64::from(to_hz) / f64::from(from_hz)).min(1.0);
    let half = (CROSSINGS / cutoff).ceil();
    let taps = 2 * half as usize;
    let phases: Vec<Vec<f32>> =
        (0..up).map(|phase| weights(phase as f64 / up as f64, cutoff, half, taps)).collect();
    let length = (samples.len() as u64 * up).div_ceil(down);
    let mut out = Vec::with_capacity(length as usize);
    for n in 0..length {
        let (whole, phase) = (n * down / up, (n * down % up) as usize);
        let first = whole as i64 + 1 - half as i64;
        let sum: f32 = phases.get(phase).map_or(0.0, |weights| {
            weights
                .iter()
                .zip(first..)
                .map(|(weight, at)| {
                    let sample = usize::try_from(at).ok().and_then(|at| samples.get(at)).copied();
                    weight * f32::from(sample.unwrap_or(0))
                })
                .sum()
        });
        out.push(sum.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16);
    }
    out
}

/// The weights of the `taps` input samples around a place `fraction` of a sample after the middle one. They sum
/// to one, so that a constant stays itself.
fn weights(fraction: f64, cutoff: f64, half: f64, taps: usize) -> Vec<f32> {
    let raw: Vec<f64> = (0..taps)
        .map(|tap| {
            let distance = tap as f64 + 1.0 - half - fraction;
            sinc(cutoff * distance) * kaiser(distance / half)
        })
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| (weight / sum) as f32).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

fn kaiser(x: f64) -> f64 {
    if x.abs() > 1.0 {
        return 0.0;
    }
    bessel_zero(BETA * (1.0 - x * x).sqrt()) / bessel_zero(BETA)
}

/// The modified Bessel function of the first kind and order zero, by its series.
fn bessel_zero(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: u32, seconds: f64) -> Vec<i16> {
        let count = (f64::from(rate) * seconds) as u32;
        (0..count)
            .map(|n| (8_000.0 * (2.0 * PI * hz * f64::from(n) / f64::from(rate)).sin()) as i16)
            .collect()
    }

    fn level(samples: &[i16]) -> f64 {
        let inner = &samples[samples.len() / 4..samples.len() * 3 / 4];
        (inner.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / inner.len() as f64).sqrt()
    }

    #[test]
    fn a_tone_keeps_its_pitch_level_and_place() {
        for (from, to) in [(16_000, 8_000), (22_050, 8_000), (8_000, 16_000), (16_000, 48_000)] {
            let out = resample(&tone(1_000.0, from, 0.5), from, to);
            let expected = tone(1_000.0, to, 0.5);
            assert_eq!(out.len(), expected.len());
            let inner = 200..out.len() - 200;
            let worst = out[inner.clone()]
                .iter()
                .zip(&expected[inner])
                .map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs())
                .max();
            assert!(worst.unwrap_or(0) < 60, "{from} to {to}: off by {worst:?}");
        }
    }

    #[test]
    fn what_lies_above_the_new_band_is_gone() {
        let out = resample(&tone(5_000.0, 16_000, 0.5), 16_000, 8_000);
        assert!(level(&out) < 5.0, "{}", level(&out));
        let kept = resample(&tone(3_400.0, 16_000, 0.5), 16_000, 8_000);
        assert!(level(&kept) > 5_300.0, "{}", level(&kept));
    }
}
