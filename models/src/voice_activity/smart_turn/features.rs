//! Whisper's log-mel features of the last eight seconds.

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::Fft;
use rustfft::num_complex::Complex;

use crate::speech_to_text::front_end::{MODEL_HZ, mel_filters};

/// What the model hears: eight seconds at 16 kHz.
pub(super) const SAMPLES: usize = 8 * MODEL_HZ as usize;
/// Features of that: one every 10 ms.
pub(super) const FRAMES: usize = SAMPLES / HOP;
/// Filters.
pub(super) const MEL_BINS: usize = 80;
const HOP: usize = 160;
const WINDOW: usize = 400;
const BINS: usize = WINDOW / 2 + 1;
/// The least power that has a logarithm.
const LEAST: f32 = 1e-10;

/// Window, transform and filters.
pub(super) struct Features {
    window: Vec<f32>,
    transform: Arc<dyn Fft<f32>>,
    /// A row of [`BINS`] for each filter.
    filters: Vec<f32>,
}

impl Features {
    pub(super) fn new() -> Self {
        let weight = |at: usize| (0.5 - 0.5 * (2.0 * PI * at as f64 / WINDOW as f64).cos()) as f32;
        Self {
            window: (0..WINDOW).map(weight).collect(),
            transform: rustfft::FftPlanner::new().plan_fft_forward(WINDOW),
            filters: mel_filters(MEL_BINS, WINDOW),
        }
    }

    /// The features, a row of [`FRAMES`] for each filter. Of more than eight seconds the last count; before fewer
    /// there was silence.
    pub(super) fn of(&self, samples: &[i16]) -> Vec<f32> {
        let line = normalised(samples);
        let mut features = vec![0.0; MEL_BINS * FRAMES];
        let mut spectrum = vec![Complex::default(); WINDOW];
        let mut loudest = f32::MIN;
        for frame in 0..FRAMES {
            for (at, (bin, weight)) in spectrum.iter_mut().zip(&self.window).enumerate() {
                *bin = Complex::from(mirrored(&line, frame * HOP + at) * weight);
            }
            self.transform.process(&mut spectrum);
            for (filter, row) in self.filters.chunks(BINS).zip(features.chunks_mut(FRAMES)) {
                let power: f32 =
                    spectrum.iter().zip(filter).map(|(bin, weight)| bin.norm_sqr() * weight).sum();
                let level = power.max(LEAST).log10();
                loudest = loudest.max(level);
                if let Some(feature) = row.get_mut(frame) {
                    *feature = level;
                }
            }
        }
        for feature in &mut features {
            *feature = (feature.max(loudest - 8.0) + 4.0) / 4.0;
        }
        features
    }
}

/// The last eight seconds with a mean of nought and a variance of one.
fn normalised(samples: &[i16]) -> Vec<f32> {
    let last = samples.get(samples.len().saturating_sub(SAMPLES)..).unwrap_or_default();
    let mut line = vec![0.0; SAMPLES - last.len()];
    line.extend(last.iter().map(|sample| f32::from(*sample) / 32_768.0));
    let count = SAMPLES as f64;
    let mean = line.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
    let variance = line.iter().map(|sample| (f64::from(*sample) - mean).powi(2)).sum::<f64>() / count;
    let scale = (variance + 1e-7).sqrt();
    line.iter().map(|sample| ((f64::from(*sample) - mean) / scale) as f32).collect()
}

/// Sample `at` of a line with half a window mirrored in front of it and behind it.
fn mirrored(line: &[f32], at: usize) -> f32 {
    let at = at.abs_diff(WINDOW / 2);
    let at = if at < line.len() { at } else { 2 * (line.len() - 1) - at };
    line.get(at).copied().unwrap_or(0.0)
}
