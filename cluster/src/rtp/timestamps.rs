//! Timestamps of a faster clock on the timeline of 8 kHz.

/// Follows one stream's timestamps. They wrap at 2^32 on either timeline, which dividing alone would not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timestamps {
    /// A timestamp that was seen, and its place.
    seen: Option<(u32, u32)>,
}

impl Timestamps {
    /// The place of a timestamp of a clock that ticks so often per sample; at most 2^31 ticks from the last one.
    pub fn narrow(&mut self, timestamp: u32, ticks: u32) -> u32 {
        let ticks = ticks.max(1).cast_signed();
        if ticks == 1 {
            return timestamp;
        }
        let (wide, narrow) = self.seen.unwrap_or((timestamp, timestamp));
        let samples = timestamp.wrapping_sub(wide).cast_signed() / ticks;
        // Moved by whole samples, so that nothing adds up.
        let seen =
            (wide.wrapping_add_signed(samples.wrapping_mul(ticks)), narrow.wrapping_add_signed(samples));
        self.seen = Some(seen);
        seen.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_clock_of_eight_kilohertz_is_left_alone() {
        assert_eq!(Timestamps::default().narrow(0xffff_fff0, 1), 0xffff_fff0);
    }

    proptest! {
        #[test]
        fn steps_are_divided_across_every_wrap(first in any::<u32>(), steps in proptest::collection::vec(-50i32..500, 1..200)) {
            let mut timestamps = Timestamps::default();
            let start = timestamps.narrow(first, 6);
            let (mut wide, mut narrow) = (first, start);
            for step in steps {
                wide = wide.wrapping_add_signed(step * 960);
                narrow = narrow.wrapping_add_signed(step * 160);
                prop_assert_eq!(timestamps.narrow(wide, 6), narrow);
            }
        }
    }
}
