//! ◇ What callers hear while people are called and nobody has answered them.

use std::sync::{Arc, LazyLock};

use models::audio::{Clip, TELEPHONE_HZ};
use serde::{Deserialize, Serialize};

/// What callers hear before their call is answered, beside what the business tells them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whose lines they hear before those answer: their network's ring tone and announcements instead of ours.
    pub relayed: Relayed,
    /// What they hear of us.
    pub sound: Before,
    /// The ring tone, where it is ours.
    pub ring_tone: RingTone,
}

/// Whose lines a caller hears before they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Relayed {
    /// Nobody's.
    Never,
    /// Of those who have the call as soon as they answer, as telephone networks forward calls.
    #[default]
    Forwarded,
    /// Of those, too, who are asked first.
    Always,
}

/// What a caller hears of us before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// Nothing: their own network lets them hear it ring.
    #[default]
    Network,
    /// A ring tone of ours.
    RingTone,
    /// What callers hear who wait.
    Waiting,
}

/// A country's ring tone (ITU-T E.180, supplement 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum RingTone {
    /// 425 Hz: one second, and four of silence.
    #[default]
    Europe,
    /// 400 and 450 Hz: twice 0.4 seconds, and two of silence.
    BritishIsles,
    /// 440 and 480 Hz: two seconds, and four of silence.
    NorthAmerica,
}

/// The loudest sample of one tone: two of them are some 20 dB below full scale.
const AMPLITUDE: f32 = 2_600.0;
/// Samples over which a tone swells and fades, so that it does not click: 5 ms.
const FADE: f32 = 40.0;

static EUROPE: LazyLock<Clip> = LazyLock::new(|| clip(&[425.0], &[(1.0, 4.0)]));
static BRITISH_ISLES: LazyLock<Clip> = LazyLock::new(|| clip(&[400.0, 450.0], &[(0.4, 0.2), (0.4, 2.0)]));
static NORTH_AMERICA: LazyLock<Clip> = LazyLock::new(|| clip(&[440.0, 480.0], &[(2.0, 4.0)]));

impl RingTone {
    /// Once round at 8 kHz, made to be heard again and again.
    #[must_use]
    pub fn clip(self) -> Clip {
        match self {
            Self::Europe => &*EUROPE,
            Self::BritishIsles => &*BRITISH_ISLES,
            Self::NorthAmerica => &*NORTH_AMERICA,
        }
        .clone()
    }
}

/// Tones together, for so many seconds, and so many of silence after each.
fn clip(tones_hz: &[f32], cadence: &[(f32, f32)]) -> Clip {
    let rate = TELEPHONE_HZ as f32;
    let mut samples = Vec::new();
    for (sounds_s, silent_s) in cadence {
        let count = (sounds_s * rate) as u32;
        samples.extend((0..count).map(|at| {
            let level = (at as f32 / FADE).min((count - at) as f32 / FADE).min(1.0) * AMPLITUDE;
            let sine = |hz: &f32| (std::f32::consts::TAU * hz * at as f32 / rate).sin();
            (level * tones_hz.iter().map(sine).sum::<f32>()) as i16
        }));
        samples.extend(std::iter::repeat_n(0, (silent_s * rate) as usize));
    }
    Clip { rate_hz: TELEPHONE_HZ, samples: samples.into(), words: Arc::from([]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_tones_have_their_cadence_and_no_click() {
        for (tone, sounds_s, whole_s) in [
            (RingTone::Europe, 1.0, 5.0),
            (RingTone::BritishIsles, 0.8, 3.0),
            (RingTone::NorthAmerica, 2.0, 6.0),
        ] {
            let clip = tone.clip();
            let slots: Vec<bool> = clip
                .samples
                .chunks(80)
                .map(|slot| slot.iter().any(|sample| sample.unsigned_abs() > 300))
                .collect();
            let sounds = slots.iter().filter(|sounds| **sounds).count() as f32 / 100.0;
            assert!((sounds - sounds_s).abs() < 0.08, "{tone:?}: {sounds} s");
            assert!((slots.len() as f32 / 100.0 - whole_s).abs() < 0.02, "{tone:?}");
            let steepest = clip.samples.windows(2).map(|pair| (pair[1] - pair[0]).unsigned_abs()).max();
            assert!(steepest < Some(2_200), "{tone:?}: {steepest:?}");
            assert_eq!(clip.samples.last(), Some(&0));
        }
    }
}
