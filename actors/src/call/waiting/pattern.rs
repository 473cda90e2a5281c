//! A sound that belongs to nobody: two soft tones, a breath, and again.

use models::audio::TELEPHONE_HZ;

/// The whole, in seconds.
const SECONDS: f64 = 6.0;
/// Each tone: when it begins and how long it swells and fades, in seconds, and its pitch with the fifth above it, in
/// hertz.
const TONES: [(f64, f64, f64); 4] =
    [(0.0, 1.6, 220.0), (1.0, 1.8, 277.18), (2.0, 1.8, 329.63), (3.2, 2.0, 277.18)];
/// The loudest sample; the level is brought to the wanted one later.
const AMPLITUDE: f64 = 6_000.0;

/// The pattern at 8 kHz. It begins and ends in silence.
pub(super) fn pattern() -> Vec<i16> {
    let rate = f64::from(TELEPHONE_HZ);
    (0..(SECONDS * rate) as usize)
        .map(|index| {
            let now = index as f64 / rate;
            let sum: f64 = TONES.iter().map(|tone| sounding(*tone, now)).sum();
            (sum * AMPLITUDE) as i16
        })
        .collect()
}

fn sounding((begins, lasts, pitch_hz): (f64, f64, f64), now: f64) -> f64 {
    let into = (now - begins) / lasts;
    if !(0.0..1.0).contains(&into) {
        return 0.0;
    }
    let swell = (into * std::f64::consts::PI).sin().powi(2);
    let wave = |hz: f64| (now * hz * std::f64::consts::TAU).sin();
    swell * (wave(pitch_hz) + 0.4 * wave(pitch_hz * 1.5)) / 2.0
}
