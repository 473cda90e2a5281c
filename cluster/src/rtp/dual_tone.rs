//! Keys that are heard as tones in the audio (ITU-T Q.23), where no telephone events were agreed on.
//!
//! Each half-overlapping block of 12.75 ms is measured at the eight frequencies (Goertzel's algorithm). A block
//! is a key where one tone of each group stands out, the two are about as loud, and together they are nearly all
//! that is heard: speech has other parts, too. A key is told once, when enough blocks in a row agree, and again
//! only after a pause. In the terms of ITU-T Q.24: tones of 40 ms and pauses of 40 ms are told apart, from 0 to
//! -30 dBm0, with up to 1.5 % of deviation and 6 dB of twist. Frequencies that are off by 3.5 % are refused
//! above 1.4 kHz only.

use std::f32::consts::TAU;

/// Samples of a block.
const BLOCK: usize = 102;
/// Samples by which blocks overlap.
const OVERLAP: usize = BLOCK / 2;
/// Samples per second.
const RATE_HZ: f32 = 8_000.0;
/// The tones, low group then high group, in hertz.
const TONES_HZ: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// Which key a row and a column are.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];
/// The amplitude that a tone must have: about -33 dBm0.
const AMPLITUDE_MIN: f32 = 500.0;
/// How many times as strong one group may seem than the other: 6 dB, and 2 for what the stronger leaks.
const TWIST_MAX: f32 = 6.3;
/// How many times as strong a tone must be as the next of its group: 8 dB.
const STANDS_OUT: f32 = 6.3;
/// How much of all that is heard the two tones must be.
const SHARE_MIN: f32 = 0.68;
/// Blocks in a row that make a key: 32 ms.
const BLOCKS_TO_BEGIN: u8 = 4;
/// Blocks without it that end it: 26 ms.
const BLOCKS_TO_END: u8 = 4;

/// Listens for keys in one direction of one call's audio.
#[derive(Debug)]
pub struct Detector {
    coefficients: [f32; 8],
    block: [f32; BLOCK],
    filled: usize,
    /// What the last blocks were, and how many of them.
    seen: Option<char>,
    times: u8,
    /// The key that is down.
    down: Option<char>,
    missed: u8,
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            coefficients: TONES_HZ.map(|tone| 2.0 * (TAU * tone / RATE_HZ).cos()),
            block: [0.0; BLOCK],
            filled: 0,
            seen: None,
            times: 0,
            down: None,
            missed: 0,
        }
    }
}

impl Detector {
    /// Hears audio at 8 kHz, and tells the keys that were pressed in it.
    pub fn hear(&mut self, audio: &[i16], tell: &mut impl FnMut(char)) {
        for sample in audio {
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = f32::from(*sample);
            }
            self.filled += 1;
            if self.filled == BLOCK {
                let key = measure(&self.block, &self.coefficients);
                self.decide(key, tell);
                self.block.copy_within(BLOCK - OVERLAP.., 0);
                self.filled = OVERLAP;
            }
        }
    }

    /// Whether the audio now is a key's tones, or may become one: no speech, then.
    #[must_use]
    pub const fn is_hearing_a_key(&self) -> bool {
        self.down.is_some() || self.times >= 2
    }

    fn decide(&mut self, key: Option<char>, tell: &mut impl FnMut(char)) {
        self.times = match key {
            None => 0,
            Some(_) if key == self.seen => self.times.saturating_add(1),
            Some(_) => 1,
        };
        self.seen = key;
        if self.down.is_some() {
            self.missed = if key == self.down { 0 } else { self.missed.saturating_add(1) };
            if self.missed >= BLOCKS_TO_END {
                self.down = None;
            }
        }
        if self.times >= BLOCKS_TO_BEGIN
            && self.down != key
            && let Some(pressed) = key
        {
            self.down = key;
            self.missed = 0;
            tell(pressed);
        }
    }
}

/// The key that a block is, if it is one.
fn measure(block: &[f32; BLOCK], coefficients: &[f32; 8]) -> Option<char> {
    let energy: f32 = block.iter().map(|sample| sample * sample).sum();
    if energy < AMPLITUDE_MIN * AMPLITUDE_MIN * BLOCK as f32 {
        return None;
    }
    let mut squares = [0.0; 8];
    for (square, coefficient) in squares.iter_mut().zip(coefficients) {
        *square = squared_amplitude(block, *coefficient);
    }
    let (rows, columns) = squares.split_at(4);
    let (row, low) = outstanding(rows)?;
    let (column, high) = outstanding(columns)?;
    let alike = low <= high * TWIST_MAX && high <= low * TWIST_MAX;
    let alone = (low + high) / 2.0 * BLOCK as f32 >= SHARE_MIN * energy;
    (alike && alone).then(|| KEYS.get(row)?.get(column).copied()).flatten()
}

/// The square of the amplitude of one tone in a block.
fn squared_amplitude(block: &[f32; BLOCK], coefficient: f32) -> f32 {
    let (mut before, mut last) = (0.0_f32, 0.0_f32);
    for sample in block {
        let next = sample + coefficient * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - coefficient * last * before;
    power * 4.0 / (BLOCK * BLOCK) as f32
}

/// The tone of a group that stands out from the others and is loud enough.
fn outstanding(group: &[f32]) -> Option<(usize, f32)> {
    let (place, most) = group.iter().copied().enumerate().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let alone = group.iter().enumerate().all(|(other, square)| other == place || square * STANDS_OUT < most);
    (alone && most >= AMPLITUDE_MIN * AMPLITUDE_MIN).then_some((place, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level of a full-scale tone by the µ-law (ITU-T G.711).
    #[allow(clippy::approx_constant, reason = "it is a level, not pi")]
    const FULL_SCALE_DBM0: f32 = 3.14;

    /// The amplitude of a tone.
    fn amplitude(dbm0: f32) -> f32 {
        32_124.0 * 10_f32.powf((dbm0 - FULL_SCALE_DBM0) / 20.0)
    }

    #[derive(Debug)]
    struct Press {
        low: f32,
        high: f32,
        low_dbm0: f32,
        high_dbm0: f32,
        ms: usize,
    }

    fn press(key: char) -> Press {
        let row = KEYS.iter().position(|row| row.contains(&key)).unwrap();
        let column = KEYS[row].iter().position(|known| *known == key).unwrap();
        Press { low: TONES_HZ[row], high: TONES_HZ[4 + column], low_dbm0: -10.0, high_dbm0: -10.0, ms: 40 }
    }

    /// A key in the middle of 40 ms of quiet on each side.
    fn sound(press: &Press) -> Vec<i16> {
        let quiet = vec![0; 320];
        let tone = (0..press.ms * 8).map(|n| {
            let at = TAU * n as f32 / RATE_HZ;
            let low = amplitude(press.low_dbm0) * (at * press.low).sin();
            (low + amplitude(press.high_dbm0) * (at * press.high + 1.0).sin()) as i16
        });
        quiet.iter().copied().chain(tone).chain(quiet.iter().copied()).collect()
    }

    fn heard(audio: &[i16]) -> String {
        let mut detector = Detector::default();
        let mut keys = String::new();
        for frame in audio.chunks(160) {
            detector.hear(frame, &mut |key| keys.push(key));
        }
        assert!(!detector.is_hearing_a_key() || audio.len() < 320, "the last key is let go");
        keys
    }

    #[test]
    fn every_key_is_told_once_however_long() {
        for key in KEYS.into_iter().flatten() {
            for ms in [40, 70, 100, 1_500] {
                assert_eq!(heard(&sound(&Press { ms, ..press(key) })), key.to_string(), "{key} for {ms} ms");
            }
        }
    }

    #[test]
    fn keys_in_a_row_are_told_apart_even_the_same_one() {
        let number = "0047007700900011*#";
        let audio: Vec<i16> = number.chars().flat_map(|key| sound(&press(key))).collect();
        assert_eq!(heard(&audio), number);
    }

    #[test]
    fn quiet_keys_and_bent_keys_are_heard() {
        for key in KEYS.into_iter().flatten() {
            let exact = press(key);
            let quiet = Press { low_dbm0: -30.0, high_dbm0: -30.0, ..press(key) };
            let loud = Press { low_dbm0: -3.0, high_dbm0: -3.0, ..press(key) };
            let bent = Press { low: exact.low * 1.015, high: exact.high * 0.985, ..press(key) };
            let twisted = Press { low_dbm0: -13.0, high_dbm0: -7.0, ..press(key) };
            let other = Press { low_dbm0: -7.0, high_dbm0: -13.0, ..press(key) };
            for press in [quiet, loud, bent, twisted, other] {
                assert_eq!(heard(&sound(&press)), key.to_string(), "{key}: {press:?}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_not_told() {
        for key in KEYS.into_iter().flatten() {
            let exact = press(key);
            let short = Press { ms: 20, ..press(key) };
            let faint = Press { low_dbm0: -45.0, high_dbm0: -45.0, ..press(key) };
            let bent = Press { high: exact.high * 1.035, ..press(key) };
            let single = Press { high_dbm0: -60.0, ..press(key) };
            let bent = (exact.high > 1_400.0).then_some(bent);
            for press in [short, faint, single].into_iter().chain(bent) {
                assert_eq!(heard(&sound(&press)), "", "{key}: {press:?}");
            }
        }
    }

    #[test]
    fn speech_is_not_keys() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/speech");
        let mut seconds = 0;
        for name in ["librivox-0880.wav", "librivox-0920.wav", "librivox-0930.wav"] {
            let mut file = hound::WavReader::open(folder.join(name)).unwrap();
            let step = (file.spec().sample_rate / 8_000) as usize;
            let samples: Vec<i16> = file.samples::<i16>().map(Result::unwrap).collect();
            // The mean of neighbours is no good filter: what folds back makes the task harder.
            let audio: Vec<i16> = samples
                .chunks_exact(step)
                .map(|group| {
                    (group.iter().map(|sample| i32::from(*sample)).sum::<i32>() / step as i32) as i16
                })
                .collect();
            seconds += audio.len() / 8_000;
            for gain in [1, 3, 8] {
                let louder: Vec<i16> =
                    audio.iter().map(|sample| sample.saturating_mul(gain)).chain([0; 640]).collect();
                assert_eq!(heard(&louder), "", "{name} {gain} times as loud");
            }
        }
        assert!(seconds >= 10, "{seconds} s of speech");
    }

    #[test]
    fn noise_beside_a_key_does_not_hide_it() {
        let mut seed = 7_u32;
        for key in KEYS.into_iter().flatten() {
            // 15 dB below the key.
            let noisy: Vec<i16> = sound(&Press { ms: 80, ..press(key) })
                .into_iter()
                .map(|sample| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let noise = ((seed >> 16) as f32 / 32_768.0 - 1.0) * amplitude(-22.0) * 1.2;
                    sample.saturating_add(noise as i16)
                })
                .collect();
            assert_eq!(heard(&noisy), key.to_string(), "{key}");
        }
    }
}
