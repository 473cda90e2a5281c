//! Audio for packets that never came, in the manner of ITU-T G.711 Appendix I: the last pitch period goes
//! on, with more of the past mixed in as the gap grows, fades from 10 ms on and is silence at 60 ms.
//!
//! Unlike the Appendix, nothing is delayed to overlap the start of a gap; the step between the last true
//! sample and the first made-up one is taken out over the first 1.25 ms instead.

/// Samples of the past that are kept: three of the longest periods and a quarter of one.
const PAST: usize = 400;
/// The shortest pitch period, 5 ms (200 Hz).
const SHORTEST: usize = 40;
/// The longest pitch period, 15 ms (66 Hz).
const LONGEST: usize = 120;
/// The window over which periods are compared: 10 ms. The Appendix takes 20; on speech at the telephone's band
/// the shorter one meets the next samples better, because the pitch moves.
const COMPARED: usize = 80;
/// Samples over which the step at the start of a gap is taken out: 1.25 ms.
const STEP_OUT: usize = 10;
/// 10 ms: after the first, the fade begins; after each of the first two, another period is mixed in.
const STEP: usize = 80;
/// 60 ms: from here on, silence.
const SILENT: usize = 480;

/// One stream's concealment.
#[derive(Debug, Clone)]
pub struct Concealment {
    past: [i16; PAST],
    source: [i16; PAST],
    erased: usize,
    period: usize,
}

impl Default for Concealment {
    fn default() -> Self {
        // Nothing came yet, so there is nothing to go on with.
        Self { past: [0; PAST], source: [0; PAST], erased: SILENT + PAST, period: LONGEST }
    }
}

impl Concealment {
    /// Takes samples that came, and smooths their start if they end a gap.
    pub fn good(&mut self, samples: &mut [i16]) {
        if self.erased > 0 {
            let overlap = (self.period / 4 + 32 * (self.erased / STEP)).min(STEP).min(samples.len());
            for (index, sample) in samples.iter_mut().take(overlap).enumerate() {
                let weight = (index + 1) as f32 / (overlap + 1) as f32;
                let made_up = self.made_up(self.erased + index);
                *sample = (f32::from(*sample) * weight + made_up * (1.0 - weight)) as i16;
            }
            self.erased = 0;
        }
        self.remember(samples);
    }

    /// Makes samples up; returns how many of them are more than silence.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        if self.erased >= SILENT {
            out.fill(0);
            if self.erased < SILENT + PAST {
                self.remember(out);
                self.erased += out.len();
            }
            return 0;
        }
        if self.erased == 0 {
            self.source = self.past;
            self.period = pitch(&self.source);
        }
        let audible = out.len().min(SILENT - self.erased);
        for (index, sample) in out.iter_mut().enumerate() {
            *sample = self.made_up(self.erased + index) as i16;
        }
        self.erased += out.len();
        self.remember(out);
        audible
    }

    /// The sample that stands so far into the gap.
    fn made_up(&self, at: usize) -> f32 {
        if at >= SILENT {
            return 0.0;
        }
        let quarter = self.period / 4;
        let cycles = (at / STEP + 1).min(3);
        let mut value = self.looped(cycles, at);
        let into = at % STEP;
        if cycles > 1 && at < 3 * STEP && into < quarter {
            let weight = (into + 1) as f32 / (quarter + 1) as f32;
            value = value * weight + self.looped(cycles - 1, at) * (1.0 - weight);
        }
        if at < STEP_OUT {
            let step = self.source_at(PAST - 1) - self.source_at(PAST - 1 - self.period);
            value += step * (1.0 - (at + 1) as f32 / (STEP_OUT + 1) as f32);
        }
        let faded = at.saturating_sub(STEP) as f32 / (SILENT - STEP) as f32;
        (value * (1.0 - faded)).clamp(-32_768.0, 32_767.0)
    }

    /// The last `cycles` periods of the source, repeated, with each repetition's end led into its start.
    fn looped(&self, cycles: usize, at: usize) -> f32 {
        let length = cycles * self.period;
        let quarter = self.period / 4;
        // The same phase in the last of the periods comes first, so that adding a period changes no phase.
        let index = at % length;
        let place = PAST - length + index;
        let tail = (index + quarter).saturating_sub(length - 1);
        if tail == 0 {
            return self.source_at(place);
        }
        let weight = tail as f32 / (quarter + 1) as f32;
        self.source_at(place) * (1.0 - weight) + self.source_at(place - length) * weight
    }

    fn source_at(&self, index: usize) -> f32 {
        self.source.get(index).copied().map_or(0.0, f32::from)
    }

    fn remember(&mut self, samples: &[i16]) {
        let kept = samples.len().min(PAST);
        self.past.copy_within(kept.., 0);
        let newest = samples.get(samples.len() - kept..).unwrap_or_default();
        for (to, from) in self.past.iter_mut().skip(PAST - kept).zip(newest) {
            *to = *from;
        }
    }
}

/// The lag at which the newest 20 ms resemble what came before them most: every second lag and sample first,
/// then the neighbours of the best in full.
fn pitch(past: &[i16; PAST]) -> usize {
    let coarse = best((SHORTEST..=LONGEST).step_by(2), past, 2);
    best(coarse.saturating_sub(1).max(SHORTEST)..=(coarse + 1).min(LONGEST), past, 1)
}

fn best(lags: impl Iterator<Item = usize>, past: &[i16; PAST], stride: usize) -> usize {
    let mut winner = (LONGEST, f32::MIN);
    for lag in lags {
        let newest = past.iter().skip(PAST - COMPARED).step_by(stride);
        let older = past.iter().skip(PAST - COMPARED - lag).step_by(stride);
        let (mut product, mut energy) = (0.0f32, 0.0f32);
        for (new, old) in newest.zip(older) {
            let (new, old) = (f32::from(*new), f32::from(*old));
            product += new * old;
            energy += old * old;
        }
        let score = product / energy.max(COMPARED as f32 * 100.0).sqrt();
        if score > winner.1 {
            winner = (lag, score);
        }
    }
    winner.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, from: usize, count: usize) -> Vec<i16> {
        (from..from + count)
            .map(|index| (8_000.0 * (index as f32 * hz * std::f32::consts::TAU / 8_000.0).sin()) as i16)
            .collect()
    }

    fn energy(samples: &[i16]) -> f32 {
        samples.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / samples.len() as f32
    }

    #[test]
    fn a_tone_goes_on_through_the_first_ten_milliseconds() {
        for hz in [80.0, 125.0, 160.0, 400.0, 1_000.0] {
            let mut concealment = Concealment::default();
            concealment.good(&mut tone(hz, 0, 800));
            let mut gap = [0; 80];
            assert_eq!(concealment.fill(&mut gap), 80);
            let truth = tone(hz, 800, 80);
            let error: Vec<i16> = gap.iter().zip(&truth).map(|(made, real)| made - real).collect();
            assert!(
                energy(&error) < energy(&truth) / 20.0,
                "{hz} Hz: {} of {}",
                energy(&error),
                energy(&truth)
            );
        }
    }

    #[test]
    fn a_gap_fades_and_is_silent_at_sixty_milliseconds() {
        let mut concealment = Concealment::default();
        concealment.good(&mut tone(200.0, 0, 800));
        let mut energies = Vec::new();
        for _ in 0..7 {
            let mut gap = [0; 80];
            concealment.fill(&mut gap);
            energies.push(energy(&gap));
        }
        assert!(energies.windows(2).all(|pair| pair[1] <= pair[0] * 1.02), "{energies:?}");
        assert!(energies[6] == 0.0 && energies[5] < energies[0] / 10.0);
    }

    #[test]
    fn nothing_jumps_where_a_gap_begins_and_ends() {
        let mut concealment = Concealment::default();
        let mut heard = tone(150.0, 0, 800);
        concealment.good(&mut heard);
        let mut gap = [0; 160];
        concealment.fill(&mut gap);
        heard.extend(gap);
        let mut after = tone(150.0, 960, 160);
        concealment.good(&mut after);
        heard.extend(after);
        let steepest = tone(150.0, 0, 200).windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap();
        let jump = heard.windows(2).map(|pair| pair[1].abs_diff(pair[0])).max().unwrap();
        assert!(i32::from(jump) < 3 * i32::from(steepest), "{jump} after {steepest}");
    }

    #[test]
    fn silence_stays_silence() {
        let mut concealment = Concealment::default();
        let mut gap = [1; 160];
        concealment.fill(&mut gap);
        assert_eq!(gap, [0; 160]);
    }
}
