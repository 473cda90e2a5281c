//! One stream's features, as they become known: pre-emphasis, windows of 25 ms every 10 ms, log-mel, no
//! normalisation. Frame t is centred on sample 160·t, with silence before the first sample, and is there as soon
//! as the last sample of its window is.

use std::sync::Arc;

use rustfft::num_complex::Complex;

use super::{FilterBank, HOP, WINDOW};

/// How much of the last sample is taken from the next: NeMo's `preemph`.
const EMPHASIS: f32 = 0.97;

/// One stream's front end.
#[derive(Debug)]
pub struct LogMel {
    bank: Arc<FilterBank>,
    /// The last sample, as it came.
    last: f32,
    /// Pre-emphasised samples from the start of the next frame's window on.
    line: Vec<f32>,
    samples: u64,
    frames: u64,
    spectrum: Vec<Complex<f64>>,
}

impl LogMel {
    /// Nothing was heard yet.
    #[must_use]
    pub fn new(bank: Arc<FilterBank>) -> Self {
        Self { bank, last: 0.0, line: vec![0.0; WINDOW / 2], samples: 0, frames: 0, spectrum: Vec::new() }
    }

    /// Takes samples at 16 kHz; the frames that they complete are written behind what `out` holds, bin by bin.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<f32>) {
        for sample in samples {
            let sample = f32::from(*sample) / 32_768.0;
            self.line.push(sample - EMPHASIS * self.last);
            self.last = sample;
        }
        self.samples += samples.len() as u64;
        self.frames(u64::MAX, out);
    }

    /// The frames whose windows reach past the last sample, as if silence followed. Nothing may be pushed after.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        self.line.extend([0.0; WINDOW / 2]);
        self.frames(self.samples / HOP as u64, out);
    }

    /// Complete frames, up to frame `end`.
    fn frames(&mut self, end: u64, out: &mut Vec<f32>) {
        let mut start = 0;
        while self.frames < end
            && let Some(window) = self.line.get(start..start + WINDOW)
        {
            self.bank.features(window, &mut self.spectrum, out);
            self.frames += 1;
            start += HOP;
        }
        self.line.drain(..start.min(self.line.len()));
    }
}
