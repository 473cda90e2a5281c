//! 8 kHz to 16 kHz: the samples between, by a half-band interpolation filter.

/// Samples on each side of a new one.
const HALF: usize = 6;

/// Half of a symmetric filter of 12 taps (Kaiser window, β = 5), outermost first.
const TAPS: [f32; HALF] = [-0.004_844, 0.016_329, -0.039_836, 0.085_15, -0.184_445, 0.627_646];

/// Turns `narrow` (with `before` in front of it) into twice as many samples, five and a half old samples late.
pub fn upsample<const IN: usize, const OUT: usize>(
    before: &mut [i16; 2 * HALF - 1],
    narrow: &[i16; IN],
    out: &mut [i16; OUT],
) {
    let mut line = [0i16; 2 * HALF];
    for (to, from) in line.iter_mut().skip(1).zip(before.iter()) {
        *to = *from;
    }
    for (pair, sample) in out.chunks_exact_mut(2).zip(narrow) {
        line.copy_within(1.., 0);
        if let Some(newest) = line.last_mut() {
            *newest = *sample;
        }
        let between: f32 = TAPS
            .iter()
            .zip(line.iter().zip(line.iter().rev()))
            .map(|(tap, (older, newer))| tap * (f32::from(*older) + f32::from(*newer)))
            .sum();
        if let ([first, second], Some(old)) = (pair, line.get(HALF - 1)) {
            *first = *old;
            *second = between as i16;
        }
    }
    for (to, from) in before.iter_mut().zip(line.iter().skip(1)) {
        *to = *from;
    }
}

/// What [`upsample`] keeps from call to call.
pub type Before = [i16; 2 * HALF - 1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stays_a_tone_with_little_of_its_image() {
        for hz in [300.0f32, 1_000.0, 3_000.0] {
            let mut before = Before::default();
            let mut wide = Vec::new();
            for frame in 0..16 {
                let mut narrow = [0; 128];
                for (index, sample) in narrow.iter_mut().enumerate() {
                    let at = (frame * 128 + index) as f32;
                    *sample = (10_000.0 * (at * hz * std::f32::consts::TAU / 8_000.0).sin()) as i16;
                }
                let mut out = [0; 256];
                upsample(&mut before, &narrow, &mut out);
                wide.extend(out.map(f32::from));
            }
            let power = |hz: f32| {
                let (mut re, mut im) = (0.0f32, 0.0f32);
                for (index, sample) in wide.iter().enumerate().skip(96) {
                    let phase = index as f32 * hz * std::f32::consts::TAU / 16_000.0;
                    re += sample * phase.cos();
                    im += sample * phase.sin();
                }
                re * re + im * im
            };
            assert!(power(hz) > 300.0 * power(8_000.0 - hz), "{hz}");
        }
    }
}
