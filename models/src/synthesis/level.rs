//! Every voice equally loud: the level of its speech, not of its pauses, is brought to −20 dBFS.

/// −20 dBFS as a mean square of 16-bit samples.
const TARGET_MEAN_SQUARE: f64 = 3_277.0 * 3_277.0;
/// −1 dBFS: no sample is louder.
const PEAK_MAX: f64 = 29_204.0;
/// Blocks quieter than this are pauses (−50 dBFS).
const PAUSE_MEAN_SQUARE: f64 = 104.0 * 104.0;

/// Scales `samples` so that their speech stands at −20 dBFS, less where a peak would clip.
pub(crate) fn normalise(samples: &mut [i16], rate_hz: u32) {
    let block = (rate_hz / 50).max(1) as usize;
    let (mut energy, mut count, mut peak) = (0.0, 0_usize, 0.0_f64);
    for piece in samples.chunks(block) {
        let this: f64 = piece.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        peak = piece.iter().fold(peak, |peak, sample| peak.max(f64::from(*sample).abs()));
        if this >= PAUSE_MEAN_SQUARE * piece.len() as f64 {
            energy += this;
            count += piece.len();
        }
    }
    if count == 0 {
        return;
    }
    let gain = (TARGET_MEAN_SQUARE * count as f64 / energy).sqrt().min(PEAK_MAX / peak);
    for sample in samples {
        *sample = (f64::from(*sample) * gain).round() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f64) -> Vec<i16> {
        (0..8_000).map(|n| (amplitude * (f64::from(n) * 0.3).sin()) as i16).collect()
    }

    fn root_mean_square(samples: &[i16]) -> f64 {
        (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn loud_and_quiet_speech_end_at_one_level_and_pauses_do_not_count() {
        for amplitude in [400.0, 5_000.0, 30_000.0] {
            let mut samples = tone(amplitude);
            samples.extend([0; 16_000]);
            normalise(&mut samples, 8_000);
            let level = root_mean_square(&samples[..8_000]);
            assert!((level - 3_277.0).abs() < 40.0, "{amplitude}: {level}");
        }
    }

    #[test]
    fn a_peak_does_not_clip_and_silence_stays() {
        let mut samples = tone(300.0);
        samples[4_000] = 20_000;
        normalise(&mut samples, 8_000);
        assert!(samples.iter().all(|sample| sample.unsigned_abs() <= 29_204));
        let mut silence = vec![3; 800];
        normalise(&mut silence, 8_000);
        assert_eq!(silence, vec![3; 800]);
    }
}
