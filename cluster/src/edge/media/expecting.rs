//! How many datagrams a turn asks its socket for: where one packet comes in the middle of every turn, one. To be told
//! that there is no second takes the system a fifth of what it takes to get the first.

use crate::rtp::Micros;

use super::batch::DATAGRAMS;

/// Regular turns before one is asked for: half a second.
const REGULAR_MIN: u8 = 25;
/// The ages between which a packet counts as in the middle of its turn. One that came closer to an edge may be two in
/// the next turn and none in the one after it.
const AGE_MIN: Micros = 3_000;
const AGE_MAX: Micros = 17_000;

/// One socket's.
#[derive(Debug, Default)]
pub(super) struct Expecting {
    regular: u8,
}

impl Expecting {
    /// The most that a turn asks for first.
    pub(super) const fn most(&self) -> usize {
        if self.regular < REGULAR_MIN { DATAGRAMS } else { 1 }
    }

    /// A turn's first read brought the ages of these datagrams, of which so many were packets of the call. Whether it
    /// was a regular one: nothing else is waited for.
    pub(super) fn is_regular(&mut self, mut ages: impl Iterator<Item = Micros>, packets: u64) -> bool {
        let one = ages.next().is_some_and(|age| (AGE_MIN..=AGE_MAX).contains(&age));
        let regular = one && ages.next().is_none() && packets == 1;
        self.regular = if regular { self.regular.saturating_add(1).min(REGULAR_MIN) } else { 0 };
        regular
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Turns of 20 ms over packets that came at these times; at which turn each was read.
    fn read(came: &[Micros], turns: u64) -> (Vec<u64>, usize) {
        let mut expecting = Expecting::default();
        let (mut read, mut asked_for_one) = (Vec::new(), 0);
        for turn in 1..=turns {
            let now = turn * 20_000;
            let mut most = expecting.most();
            asked_for_one += usize::from(most == 1);
            for first in [true, false, false] {
                let waits: Vec<_> =
                    came.iter().skip(read.len()).take_while(|at| **at <= now).take(most).collect();
                read.extend(waits.iter().map(|_| turn));
                let regular =
                    first && expecting.is_regular(waits.iter().map(|at| now - **at), waits.len() as u64);
                if waits.len() < most || regular {
                    break;
                }
                most = DATAGRAMS;
            }
        }
        (read, asked_for_one)
    }

    #[test]
    fn a_regular_line_is_asked_for_one() {
        let came: Vec<_> = (0..500).map(|packet| 10_000 + packet * 20_000).collect();
        let (read, asked_for_one) = read(&came, 500);
        assert_eq!(read, (1..=500).collect::<Vec<_>>());
        assert_eq!(asked_for_one, 475);
    }

    /// A clock that is faster or slower than ours crosses our turns' edges; a far side sends reports, too.
    #[test]
    fn no_packet_waits_for_a_second_turn_where_clocks_drift() {
        for spacing in [19_990, 19_999, 20_001, 20_010] {
            for jitter in [0, 1_000, 2_900] {
                let came: Vec<_> =
                    (0..5_000).map(|packet| 7_000 + packet * spacing + packet % 2 * jitter).collect();
                let (read, asked_for_one) = read(&came, 4_990);
                for (at, turn) in came.iter().zip(&read) {
                    assert_eq!(at.div_ceil(20_000), *turn, "{spacing} {jitter}");
                }
                assert!(asked_for_one > 2_000, "{spacing} {jitter}: {asked_for_one}");
            }
        }
    }

    proptest! {
        #[test]
        fn none_waits_for_long_whatever_comes(mut came in proptest::collection::vec(0..10_000_000u64, 1..600)) {
            came.sort_unstable();
            // No more than a turn may read.
            let crowded = came.windows(9).any(|some| some[8] - some[0] < 20_000);
            prop_assume!(!crowded);
            let (read, _) = read(&came, 510);
            prop_assert_eq!(read.len(), came.len());
            for (at, turn) in came.iter().zip(&read) {
                prop_assert!(turn - at.div_ceil(20_000).max(1) <= 1);
            }
        }
    }
}
