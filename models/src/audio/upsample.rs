//! 8 kHz to 16 kHz: the samples between, by a half-band interpolation filter.

use super::nearest;

/// Samples on each side of a new one.
const HALF: usize = 6;
/// Samples that a filter reaches back over.
const KEPT: usize = 2 * HALF - 1;

/// Samples that are taken at once; what is turned holds a whole number of them.
const BLOCK: usize = 16;

/// Half of a symmetric filter of 12 taps (Kaiser window, β = 5), outermost first.
const TAPS: [f32; HALF] = [-0.004_844, 0.016_329, -0.039_836, 0.085_15, -0.184_445, 0.627_646];

/// Turns `narrow` (with `before` in front of it) into twice as many samples, five and a half old samples late.
pub fn upsample<const IN: usize, const OUT: usize>(
    before: &mut [i16; KEPT],
    narrow: &[i16; IN],
    out: &mut [i16; OUT],
) {
    const { assert!(IN >= KEPT && IN.is_multiple_of(BLOCK) && OUT == 2 * IN) };
    let mut line = [0.0_f32; KEPT + BLOCK];
    for (to, from) in line.iter_mut().zip(before.iter()) {
        *to = f32::from(*from);
    }
    for (narrow, out) in narrow.as_chunks::<BLOCK>().0.iter().zip(out.as_chunks_mut::<{ 2 * BLOCK }>().0) {
        for (to, from) in line.iter_mut().skip(KEPT).zip(narrow) {
            *to = f32::from(*from);
        }
        interpolate(&line, out);
        line.copy_within(BLOCK.., 0);
    }
    for (to, from) in before.iter_mut().zip(narrow.iter().skip(IN.saturating_sub(KEPT))) {
        *to = *from;
    }
}

/// Two samples for each place of the filter. All places are worked on tap by tap, as processors do it.
fn interpolate(line: &[f32; KEPT + BLOCK], out: &mut [i16; 2 * BLOCK]) {
    let mut between = [0.0_f32; BLOCK];
    for (tap, weight) in TAPS.iter().enumerate() {
        for place in 0..BLOCK {
            between[place] += weight * (line[place + tap] + line[place + KEPT - tap]);
        }
    }
    for (place, pair) in out.as_chunks_mut().0.iter_mut().enumerate() {
        *pair = [nearest(line[place + HALF - 1]), nearest(between[place])];
    }
}

/// What [`upsample`] keeps from call to call.
pub type Before = [i16; KEPT];

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
