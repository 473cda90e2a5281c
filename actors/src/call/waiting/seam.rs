//! One level, and an end that leads into the beginning.

/// What the end and the beginning share: 50 ms at 8 kHz.
const SHARED: usize = 400;
/// The loudest sample: −1 dBFS.
const PEAK_MAX: f64 = 29_204.0;

/// Brings the whole to a level, less where a peak would be cut.
pub(super) fn bring_to(samples: &mut [i16], level_dbfs: f64) {
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let peak = samples.iter().map(|sample| f64::from(sample.unsigned_abs())).fold(0.0, f64::max);
    if peak < 1.0 {
        return;
    }
    let present = (energy / samples.len() as f64).sqrt();
    let wanted = 32_768.0 * 10_f64.powf(level_dbfs / 20.0);
    let gain = (wanted / present).min(PEAK_MAX / peak);
    for sample in samples {
        *sample = (f64::from(*sample) * gain).round() as i16;
    }
}

/// The same sound, shorter by what its end and its beginning share: there the one fades into the other, so that what
/// is played again and again has no click.
pub(super) fn closed(mut samples: Vec<i16>) -> Vec<i16> {
    let Some(length) = samples.len().checked_sub(SHARED).filter(|rest| *rest >= SHARED) else {
        return samples;
    };
    let tail = samples.split_off(length);
    for (at, (sample, old)) in samples.iter_mut().zip(tail).enumerate() {
        // Of equal power, for the two have nothing to do with each other.
        let turn = (at + 1) as f64 / (SHARED + 1) as f64 * std::f64::consts::FRAC_PI_2;
        let both = f64::from(*sample) * turn.sin() + f64::from(old) * turn.cos();
        *sample = both.clamp(-32_768.0, 32_767.0) as i16;
    }
    samples
}
