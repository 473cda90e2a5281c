//! The one place of this crate that asks for randomness: identifiers and the spread of retries.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

/// A source of random values. Cheap to clone; clones of a seeded one draw from the same row.
#[derive(Clone)]
pub struct Chance {
    seeded: Option<Arc<Mutex<StdRng>>>,
}

impl Chance {
    /// The operating system's randomness.
    #[must_use]
    pub const fn system() -> Self {
        Self { seeded: None }
    }

    /// The same row of values for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seeded: Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))) }
    }

    /// A new identifier: UUID version 7 (RFC 9562 section 5.7), which sorts by `now`.
    #[must_use]
    pub fn id(&self, now: Timestamp) -> Uuid {
        let random: [u8; 10] = match &self.seeded {
            Some(generator) => generator.lock().random(),
            None => system_generator().random(),
        };
        let ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
    }

    /// A random share of `whole_ms`, from half of it to all of it: the wait before a retry, so that calls that
    /// failed together don't try again together.
    #[must_use]
    pub fn spread_ms(&self, whole_ms: u64) -> u64 {
        let half = whole_ms / 2;
        let rest = 0..=whole_ms - half;
        half + match &self.seeded {
            Some(generator) => generator.lock().random_range(rest),
            None => system_generator().random_range(rest),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the crate's source of randomness")]
fn system_generator() -> impl rand::Rng {
    rand::rng()
}

impl Default for Chance {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.seeded.is_some() { "Chance(seeded)" } else { "Chance(system)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_follow_the_seed() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        let (early, late) = (at(1_000), at(2_000));
        let (one, other) = (Chance::seeded(7), Chance::seeded(7));
        let first = one.id(early);
        assert_eq!(first, other.id(early));
        assert!(first < one.id(late));
        assert_eq!(first.get_version_num(), 7);
    }

    #[test]
    fn a_spread_stays_between_half_and_all() {
        let chance = Chance::seeded(1);
        assert!((0..200).all(|_| (50..=100).contains(&chance.spread_ms(100))));
        assert_eq!(chance.spread_ms(0), 0);
    }
}
