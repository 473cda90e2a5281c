//! Time as a call sees it.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// Milliseconds since the call began, on a clock that never goes back.
///
/// Relative, so that a call resumed in another process goes on from where it was, whatever that process's
/// clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct CallTime(u64);

impl CallTime {
    /// The moment the call began.
    pub const START: Self = Self(0);

    /// So many milliseconds into the call.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the call began.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to here, 0 if it is not earlier.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment and so many milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Add<u64> for CallTime {
    type Output = Self;

    fn add(self, ms: u64) -> Self {
        self.plus_ms(ms)
    }
}

impl Sub for CallTime {
    type Output = u64;

    fn sub(self, earlier: Self) -> u64 {
        self.since_ms(earlier)
    }
}

impl fmt::Display for CallTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}
