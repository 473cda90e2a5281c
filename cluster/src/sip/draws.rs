//! Numbers that nobody expects, out of a seed: what they decide can be decided again.

/// A generator (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). It spreads
/// load and jitter; it keeps no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draws(u64);

impl Draws {
    /// A generator with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `from` to `to`, both included; `from` where `to` is not above it.
    pub const fn between(&mut self, from: u64, to: u64) -> u64 {
        if to <= from {
            return from;
        }
        match (to - from).checked_add(1) {
            // The bias is far below anything that a jitter or a load could show.
            Some(span) => from + self.draw() % span,
            None => self.draw(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_sequence_and_fills_its_range() {
        let drawn = |seed| {
            let mut draws = Draws::new(seed);
            (0..1_000).map(|_| draws.between(80, 90)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_eq!((drawn(7).into_iter().min(), drawn(7).into_iter().max()), (Some(80), Some(90)));
        assert_eq!(Draws::new(1).between(5, 5), 5);
        assert_eq!(Draws::new(1).between(5, 4), 5);
    }
}
