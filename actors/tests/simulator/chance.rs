//! Chance from a seed, the same on every machine.

use crate::telephone::{BrainFault, Chance, ToolFault, VoiceFault};

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same for ever.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `below`, not included.
    pub(super) const fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    /// True in so many of a thousand cases.
    pub(super) const fn in_thousand(&mut self, cases: u64) -> bool {
        self.below(1_000) < cases
    }

    pub(super) fn one_of<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = usize::try_from(self.below(of.len() as u64)).expect("a small number");
        &of[place]
    }
}

/// Failures by chance.
pub(super) struct Failures {
    pub(super) dice: Dice,
    /// So many of a thousand go wrong.
    pub(super) rate: u64,
}

impl Chance for Failures {
    fn voice(&mut self) -> VoiceFault {
        if !self.dice.in_thousand(self.rate) {
            return VoiceFault::None;
        }
        match self.dice.below(3) {
            0 => VoiceFault::Fails,
            1 => VoiceFault::Silent,
            _ => VoiceFault::Slow(self.dice.below(4_000)),
        }
    }

    fn sound(&mut self) -> Option<(f32, u64)> {
        // Any judge, or none, and some that are too late.
        let finished = self.dice.below(101) as f32 / 100.0;
        (!self.dice.in_thousand(300)).then(|| (finished, self.dice.below(1_500)))
    }

    fn brain(&mut self) -> BrainFault {
        if !self.dice.in_thousand(self.rate) {
            return BrainFault::None;
        }
        match self.dice.below(4) {
            0 => BrainFault::Silent,
            1 => BrainFault::GivesUp,
            _ => BrainFault::Slow(self.dice.below(12_000)),
        }
    }

    fn tool(&mut self) -> ToolFault {
        if !self.dice.in_thousand(self.rate * 2) {
            return ToolFault::None;
        }
        match self.dice.below(5) {
            0 => ToolFault::Silent,
            1 => ToolFault::Failed,
            2 => ToolFault::Unknown,
            _ => ToolFault::Slow(self.dice.below(25_000)),
        }
    }

    fn twice(&mut self) -> bool {
        self.dice.in_thousand(self.rate / 2)
    }

    fn resumes(&mut self) -> bool {
        self.dice.in_thousand(50)
    }
}
