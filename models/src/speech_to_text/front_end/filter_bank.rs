//! Triangles on the mel scale, as Slaney's Auditory Toolbox draws them: linear below 1 kHz, logarithmic above, each
//! of the same area. NeMo takes them from librosa; its checkpoints were trained with no others.

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::Fft;
use rustfft::num_complex::Complex;

use super::{MODEL_HZ, POINTS, WINDOW};

/// Bins of the power spectrum.
const BINS: usize = POINTS / 2 + 1;
/// What is added before the logarithm, so that silence has one: NeMo's `log_zero_guard_value`.
const GUARD: f64 = 1.0 / 16_777_216.0;

/// What all streams of a model share: window, transform and triangles. The transform has 64 bits: in 32, a nearly
/// silent band beside a loud one is noise of the arithmetic.
pub struct FilterBank {
    window: Vec<f64>,
    transform: Arc<dyn Fft<f64>>,
    triangles: Vec<Triangle>,
}

/// One filter: its first bin and its weights from there on.
struct Triangle {
    first: usize,
    weights: Vec<f32>,
}

impl std::fmt::Debug for FilterBank {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("FilterBank").field("bins", &self.triangles.len()).finish_non_exhaustive()
    }
}

impl FilterBank {
    /// A bank of `mel_bins` filters from 0 Hz to 8 kHz.
    #[must_use]
    pub fn new(mel_bins: usize) -> Self {
        let weight = |at: usize| 0.5 - 0.5 * (2.0 * PI * at as f64 / (WINDOW - 1) as f64).cos();
        let window = (0..WINDOW).map(weight).collect();
        let transform = rustfft::FftPlanner::new().plan_fft_forward(POINTS);
        let triangles = mel_filters(mel_bins, POINTS).chunks(BINS).map(Triangle::of).collect();
        Self { window, transform, triangles }
    }

    /// Filters.
    #[must_use]
    pub fn mel_bins(&self) -> usize {
        self.triangles.len()
    }

    /// The features of one window of samples, written behind what `out` holds.
    pub(super) fn features(&self, samples: &[f32], spectrum: &mut Vec<Complex<f64>>, out: &mut Vec<f32>) {
        spectrum.clear();
        let weighted = samples.iter().zip(&self.window);
        spectrum.extend(weighted.map(|(sample, weight)| Complex::from(f64::from(*sample) * weight)));
        spectrum.resize(POINTS, Complex::default());
        self.transform.process(spectrum);
        out.extend(self.triangles.iter().map(|triangle| {
            let bins = spectrum.iter().skip(triangle.first);
            let parts = bins.zip(&triangle.weights).map(|(bin, weight)| bin.norm_sqr() * f64::from(*weight));
            (parts.sum::<f64>() + GUARD).ln() as f32
        }));
    }
}

impl Triangle {
    /// The part of a row of weights that is not nought.
    fn of(row: &[f32]) -> Self {
        let first = row.iter().position(|weight| *weight > 0.0).unwrap_or(0);
        let weights = row.iter().skip(first).take_while(|weight| **weight > 0.0).copied().collect();
        Self { first, weights }
    }
}

/// `mel_bins` filters from 0 Hz to 8 kHz over the power spectrum of a transform of `points`: a row for each.
pub(crate) fn mel_filters(mel_bins: usize, points: usize) -> Vec<f32> {
    let top = mel(f64::from(MODEL_HZ) / 2.0);
    let corner = |index: usize| hertz(top * index as f64 / (mel_bins + 1) as f64);
    let row = |filter: usize| {
        let (low, middle, high) = (corner(filter), corner(filter + 1), corner(filter + 2));
        (0..=points / 2).map(move |bin| {
            let at = bin as f64 * f64::from(MODEL_HZ) / points as f64;
            let height = ((at - low) / (middle - low)).min((high - at) / (high - middle)).max(0.0);
            (height * 2.0 / (high - low)) as f32
        })
    };
    (0..mel_bins).flat_map(row).collect()
}

/// Where the scale turns from linear to logarithmic, in hertz and in mel.
const KNEE_HZ: f64 = 1_000.0;
const KNEE_MEL: f64 = 15.0;
/// Hertz for each mel below the knee.
const SLOPE: f64 = 200.0 / 3.0;

/// The natural logarithm of the ratio of two neighbouring mel above the knee.
fn growth() -> f64 {
    6.4_f64.ln() / 27.0
}

fn mel(hertz: f64) -> f64 {
    if hertz < KNEE_HZ { hertz / SLOPE } else { KNEE_MEL + (hertz / KNEE_HZ).ln() / growth() }
}

fn hertz(mel: f64) -> f64 {
    if mel < KNEE_MEL { mel * SLOPE } else { KNEE_HZ * ((mel - KNEE_MEL) * growth()).exp() }
}
