//! One level for whoever speaks: a slow automatic gain, with a limit, in the manner of ITU-T G.169.
//!
//! The level is measured while somebody speaks only, so that a pause never makes the line's noise louder.

use models::audio::{nearest, sum_of_squares};
use serde::{Deserialize, Serialize};

use super::FRAME;

/// How loud what callers say is brought to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether the recogniser hears callers at one level.
    pub hearing: bool,
    /// Whether the recording has them so, too; else as they came.
    pub recording: bool,
    /// The level that speech is brought to, in decibels below full scale.
    pub speech_dbfs: f32,
    /// The most that a quiet caller is raised by, in decibels.
    pub raised_db_max: f32,
    /// The most that a loud caller is lowered by, in decibels.
    pub lowered_db_max: f32,
    /// How fast the gain rises while somebody speaks, in decibels a second.
    pub rise_db_per_s: f32,
    /// How fast it falls, in decibels a second.
    pub fall_db_per_s: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hearing: true,
            recording: false,
            speech_dbfs: -23.0,
            raised_db_max: 18.0,
            lowered_db_max: 12.0,
            rise_db_per_s: 6.0,
            fall_db_per_s: 12.0,
        }
    }
}

/// The loudest sample that is let out: −1 dBFS.
const PEAK_MAX: f32 = 29_204.0;
/// Frames quieter than this are pauses within speech, in decibels below full scale and below the level so far.
const PAUSE_DBFS: f32 = -55.0;
const PAUSE_BELOW_DB: f32 = 15.0;
/// How much of a frame goes into the level: half of it is from the last 400 ms of speech.
const SHARE: f32 = 0.035;
const FRAMES_PER_S: f32 = 50.0;

/// One speaker's level.
#[derive(Debug, Clone)]
pub struct Level {
    settings: Settings,
    /// The mean square of the speech so far.
    speech: Option<f32>,
    gain_db: f32,
    /// The gain at the end of the last frame, as a factor.
    factor: f32,
}

impl Level {
    /// Nobody has spoken yet: what comes is left as it is.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), speech: None, gain_db: 0.0, factor: 1.0 }
    }

    /// The present gain in decibels.
    #[must_use]
    pub fn gain_db(&self) -> f32 {
        self.gain_db
    }

    /// Brings 20 ms to the level. `speaking`: they are of somebody who speaks.
    pub fn frame(&mut self, audio: &mut [i16; FRAME], speaking: bool) {
        if speaking {
            self.follow(audio);
        }
        let peak = audio.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
        let wanted = 10_f32.powf(self.gain_db / 20.0);
        // What would be cut is lowered at once; the slow gain follows.
        let factor = wanted.min(PEAK_MAX / f32::from(peak).max(1.0)).max(f32::MIN_POSITIVE);
        let from = self.factor.min(PEAK_MAX / f32::from(peak).max(1.0));
        self.factor = factor;
        if (from - 1.0).abs() < 1e-4 && (factor - 1.0).abs() < 1e-4 {
            return;
        }
        let step = (factor - from) / FRAME as f32;
        for (at, sample) in (1u16..).zip(audio) {
            *sample = nearest(f32::from(*sample) * (from + step * f32::from(at)));
        }
    }

    fn follow(&mut self, audio: &[i16; FRAME]) {
        let energy = sum_of_squares(audio) as f32 / FRAME as f32;
        let floor = self.speech.map_or(PAUSE_DBFS, |speech| PAUSE_DBFS.max(dbfs(speech) - PAUSE_BELOW_DB));
        if dbfs(energy) < floor {
            return;
        }
        let speech = self.speech.map_or(energy, |before| before + (energy - before) * SHARE);
        self.speech = Some(speech);
        let Settings { speech_dbfs, raised_db_max, lowered_db_max, rise_db_per_s, fall_db_per_s, .. } =
            self.settings;
        let wanted = (speech_dbfs - dbfs(speech)).clamp(-lowered_db_max.abs(), raised_db_max.abs());
        let difference = wanted - self.gain_db;
        self.gain_db +=
            difference.clamp(-fall_db_per_s.abs() / FRAMES_PER_S, rise_db_per_s.abs() / FRAMES_PER_S);
    }
}

/// A mean square in decibels below full scale.
fn dbfs(energy: f32) -> f32 {
    10.0 * (energy / (32_768.0 * 32_768.0) + 1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn speech() -> Vec<i16> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/speech/librivox-0880-8khz.wav");
        let once: Vec<i16> = hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect();
        once.repeat(4)
    }

    /// The level of the loud frames.
    fn level_dbfs(samples: &[i16]) -> f32 {
        let mut frames: Vec<f32> = samples
            .chunks_exact(FRAME)
            .map(|frame| frame.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / FRAME as f32)
            .collect();
        frames.sort_by(f32::total_cmp);
        let loud = &frames[frames.len() / 2..];
        10.0 * (loud.iter().sum::<f32>() / loud.len() as f32 / (32_768.0 * 32_768.0)).log10()
    }

    fn through(level: &mut Level, samples: &[i16], speaking: bool) -> Vec<i16> {
        let (frames, _) = samples.as_chunks::<FRAME>();
        frames
            .iter()
            .flat_map(|frame| {
                let mut frame = *frame;
                level.frame(&mut frame, speaking);
                frame
            })
            .collect()
    }

    #[test]
    fn quiet_and_loud_callers_end_at_one_level() {
        let said = speech();
        for gain in [0.1_f32, 0.3, 1.0, 3.0] {
            let raw: Vec<i16> = said
                .iter()
                .map(|sample| (f32::from(*sample) * gain).clamp(-32_768.0, 32_767.0) as i16)
                .collect();
            let mut level = Level::new(&Settings::default());
            let heard = through(&mut level, &raw, true);
            let (before, after) = (level_dbfs(&raw), level_dbfs(&heard[heard.len() / 2..]));
            let reachable = (-23.0_f32).clamp(before - 12.0, before + 18.0);
            assert!((after - reachable).abs() < 3.0, "{gain}: {before} to {after}");
            assert!(heard.iter().all(|sample| sample.unsigned_abs() <= 29_205), "nothing is cut");
        }
    }

    #[test]
    fn noise_in_a_pause_is_not_raised_and_the_gain_is_slow() {
        let mut level = Level::new(&Settings::default());
        let quiet: Vec<i16> = speech().iter().map(|sample| sample / 16).collect();
        through(&mut level, &quiet[..8_000], true);
        let gain = level.gain_db();
        assert!(gain <= 6.1, "no more than 6 dB in a second: {gain}");
        let noise: Vec<i16> =
            (0..80_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 25) as i16 - 64).collect();
        through(&mut level, &noise, false);
        assert!((level.gain_db() - gain).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail_or_cut(audio in proptest::collection::vec(any::<i16>(), FRAME * 6), speaking: bool) {
            let mut level = Level::new(&Settings::default());
            for sample in through(&mut level, &audio, speaking) {
                prop_assert!(sample.unsigned_abs() <= 32_768);
            }
            prop_assert!((-12.1..=18.1).contains(&level.gain_db()));
        }
    }
}
