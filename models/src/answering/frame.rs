//! A piece of sound that is judged at once, and how loud the line is by itself.

use super::Settings;

/// The length of a frame, in milliseconds.
pub(super) const FRAME_MS: u32 = 40;
/// How fast the measure of the line's noise rises while it is louder: by this share for each frame.
const NOISE_RISES: f32 = 0.02;

/// One frame.
pub(super) struct Frame<'a> {
    pub(super) samples: &'a [i16],
    pub(super) rate_hz: u32,
    /// The sum of the squares.
    pub(super) energy: f32,
    /// Louder than silence.
    pub(super) is_audible: bool,
    /// And louder than the line's own noise.
    pub(super) stands_out: bool,
}

/// How loud the line is by itself: the quietest of late. Speech has gaps between its syllables, noise has none.
#[derive(Debug, Default)]
pub(super) struct Noise {
    level: Option<f32>,
}

impl Noise {
    pub(super) fn frame<'a>(&mut self, settings: &Settings, rate_hz: u32, samples: &'a [i16]) -> Frame<'a> {
        let energy: f32 = samples.iter().map(|sample| f32::from(*sample) * f32::from(*sample)).sum();
        let level = (energy / samples.len().max(1) as f32).sqrt();
        let quiet = self.level.unwrap_or(level);
        let is_audible = level > settings.audible_min as f32;
        let stands_out = is_audible && level * 100.0 > quiet * settings.above_noise_percent as f32;
        self.level = Some(if level < quiet { level } else { quiet + (level - quiet) * NOISE_RISES });
        Frame { samples, rate_hz, energy, is_audible, stands_out }
    }
}
