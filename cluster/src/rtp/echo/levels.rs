//! How loud 10 ms are, by band.

/// Samples of a slot: 10 ms at 8 kHz.
pub(super) const SLOT: usize = 80;
/// Bands of 1 kHz each.
pub(super) const BANDS: usize = 4;
/// Fours of samples that are transformed side by side, as processors do it at no more cost than one.
const LANES: usize = 4;
const _: () = assert!(SLOT.is_multiple_of(BANDS * LANES));
/// The level of nothing, in decibels below full scale.
pub(super) const NOTHING: f32 = -100.0;

/// The levels of a slot's bands, in decibels below full scale, and their powers as parts of full scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    pub(super) db: [f32; BANDS],
    pub(super) power: [f32; BANDS],
}

impl Levels {
    pub(super) const NONE: Self = Self { db: [NOTHING; BANDS], power: [0.0; BANDS] };

    /// By the transform of Walsh and Hadamard on four samples at a time: its bands overlap, but those of what was sent
    /// and of what comes do so alike, and it takes additions only.
    pub(super) fn of(slot: &[i16; SLOT]) -> Self {
        if is_nothing(slot) {
            return Self::NONE;
        }
        let mut sums = [[0.0_f32; LANES]; BANDS];
        for block in slot.as_chunks::<{ BANDS * LANES }>().0 {
            // The first samples of all fours side by side, then the second ones, and so on.
            let mut aside = [[0.0_f32; LANES]; BANDS];
            for lane in 0..LANES {
                for place in 0..BANDS {
                    aside[place][lane] = f32::from(block[BANDS * lane + place]);
                }
            }
            for lane in 0..LANES {
                let [a, b, c, d] = [aside[0][lane], aside[1][lane], aside[2][lane], aside[3][lane]];
                let (low, high) = ((a + b, c + d), (a - b, c - d));
                let parts = [low.0 + low.1, low.0 - low.1, high.0 - high.1, high.0 + high.1];
                for band in 0..BANDS {
                    sums[band][lane] += parts[band] * parts[band];
                }
            }
        }
        // Each of the four parts has the power of four samples.
        let whole = 4.0 * SLOT as f32 * 32_768.0 * 32_768.0;
        let power = sums.map(|lanes| lanes.iter().sum::<f32>() / whole);
        Self { db: power.map(|power| 10.0 * (power + 1e-10).log10()), power }
    }

    pub(super) fn loudest_db(&self) -> f32 {
        self.db.into_iter().fold(NOTHING, f32::max)
    }

    pub(super) fn sum(&self) -> f32 {
        self.power.iter().sum()
    }
}

/// Whether all samples are 0. Each is looked at: that takes a fraction of the time of stopping at the first that isn't.
pub(super) fn is_nothing(samples: &[i16]) -> bool {
    samples.iter().fold(0, |any, sample| any | sample) == 0
}
