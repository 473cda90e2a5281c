//! 8 kHz to 16 kHz: the samples between, by a half-band interpolation filter.

/// Samples on each side of a new one.
const HALF: usize = 6;
/// Samples that a filter reaches back over.
const KEPT: usize = 2 * HALF - 1;

/// Half of a symmetric filter of 12 taps (Kaiser window, β = 5), outermost first.
const TAPS: [f32; HALF] = [-0.004_844, 0.016_329, -0.039_836, 0.085_15, -0.184_445, 0.627_646];

/// Turns `narrow` (with `before` in front of it) into twice as many samples, five and a half old samples late.
pub fn upsample<const IN: usize, const OUT: usize>(
    before: &mut [i16; KEPT],
    narrow: &[i16; IN],
    out: &mut [i16; OUT],
) {
    const { assert!(IN >= KEPT && OUT == 2 * IN) };
    let (first, rest) = out.split_at_mut(2 * KEPT);
    // What was before and what is new lie in two places; where a filter reaches over both they are put together.
    let mut joined = [0i16; 2 * KEPT];
    for (to, from) in joined.iter_mut().zip(before.iter().chain(narrow)) {
        *to = *from;
    }
    interpolate(&joined, first);
    interpolate(narrow, rest);
    for (to, from) in before.iter_mut().zip(narrow.iter().skip(IN.saturating_sub(KEPT))) {
        *to = *from;
    }
}

/// Two samples for each place of the filter.
fn interpolate(line: &[i16], out: &mut [i16]) {
    for (pair, under) in out.chunks_exact_mut(2).zip(line.windows(2 * HALF)) {
        let between: f32 = TAPS
            .iter()
            .zip(under.iter().zip(under.iter().rev()))
            .map(|(tap, (older, newer))| tap * (f32::from(*older) + f32::from(*newer)))
            .sum();
        if let ([first, second], Some(old)) = (pair, under.get(HALF - 1)) {
            *first = *old;
            *second = between as i16;
        }
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
