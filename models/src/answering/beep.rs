//! The tone after which a mailbox records: one steady pitch, long enough for a tone and short enough for a beep.

use std::f32::consts::TAU;

use super::Settings;
use super::frame::{FRAME_MS, Frame};

/// The distance of the pitches that are looked at, in hertz: one over the length of a frame, so that a tone between
/// two of them shows in both.
const STEP_HZ: u32 = 1_000 / FRAME_MS;
/// How far a steady tone may wander between frames, in such steps.
const WANDER_STEPS: u32 = 1;

/// Looks for one beep.
#[derive(Debug, Default)]
pub(super) struct Beep {
    /// The pitch of the tone that goes on, in steps.
    pitch: Option<u32>,
    lasted_ms: u32,
}

impl Beep {
    /// Hears one frame; whether a beep has just ended.
    pub(super) fn hear(&mut self, settings: &Settings, frame: &Frame<'_>) -> bool {
        let pitch = if frame.is_audible { pitch_of(settings, frame) } else { None };
        match (self.pitch, pitch) {
            (Some(before), Some(now)) if before.abs_diff(now) <= WANDER_STEPS => {
                self.lasted_ms = self.lasted_ms.saturating_add(FRAME_MS);
                false
            }
            (before, now) => {
                let beeped = before.is_some()
                    && (settings.beep_ms_min..=settings.beep_ms_max).contains(&self.lasted_ms);
                self.pitch = now;
                self.lasted_ms = if now.is_some() { FRAME_MS } else { 0 };
                beeped
            }
        }
    }

    /// Whether a tone goes on that may become a beep.
    pub(super) const fn is_hearing_one(&self) -> bool {
        self.pitch.is_some()
    }
}

/// The pitch that the frame is nearly nothing but, in steps.
fn pitch_of(settings: &Settings, frame: &Frame<'_>) -> Option<u32> {
    let (first, last) = (settings.beep_hz_min / STEP_HZ, settings.beep_hz_max / STEP_HZ);
    let powers: Vec<f32> = (first.saturating_sub(1)..=last + 1).map(|step| power_at(frame, step)).collect();
    let (at, _) = powers.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1))?;
    // A tone between two steps shows in both.
    let around = powers.get(at.saturating_sub(1)..(at + 2).min(powers.len()))?;
    let share = around.iter().sum::<f32>() / frame.energy.max(1.0);
    let is_pure = share * 100.0 >= settings.beep_purity_percent as f32;
    let step = first.saturating_sub(1) + u32::try_from(at).ok()?;
    (is_pure && (first..=last).contains(&step)).then_some(step)
}

/// The energy at one pitch, in the measure of the frame's own (Goertzel, 1958).
fn power_at(frame: &Frame<'_>, step: u32) -> f32 {
    let coefficient = 2.0 * (TAU * (step * STEP_HZ) as f32 / frame.rate_hz as f32).cos();
    let (mut last, mut before) = (0.0_f32, 0.0_f32);
    for sample in frame.samples {
        let new = f32::from(*sample) + coefficient * last - before;
        (before, last) = (last, new);
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / frame.samples.len().max(1) as f32
}
