//! How loud 10 ms are, by band.

/// Samples of a slot: 10 ms at 8 kHz.
pub(super) const SLOT: usize = 80;
/// Bands of 1 kHz each.
pub(super) const BANDS: usize = 4;
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
    pub(super) fn of(slot: &[i16]) -> Self {
        if slot.iter().all(|sample| *sample == 0) {
            return Self::NONE;
        }
        let mut sums = [0.0_f32; BANDS];
        for four in slot.as_chunks::<4>().0 {
            let [a, b, c, d] = four.map(f32::from);
            let (low, high) = ((a + b, c + d), (a - b, c - d));
            let parts = [low.0 + low.1, low.0 - low.1, high.0 - high.1, high.0 + high.1];
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += part * part;
            }
        }
        // Each of the four parts has the power of four samples.
        let whole = 4.0 * SLOT as f32 * 32_768.0 * 32_768.0;
        let power = sums.map(|sum| sum / whole);
        Self { db: power.map(|power| 10.0 * (power + 1e-10).log10()), power }
    }

    pub(super) fn loudest_db(&self) -> f32 {
        self.db.into_iter().fold(NOTHING, f32::max)
    }

    pub(super) fn sum(&self) -> f32 {
        self.power.iter().sum()
    }
}
