//! Up to where the calls are indexed: a value that travels in the index's own commits.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::storage::Cursor;
use crate::types::TenantId;

/// The format of the index: its schema, its analyser, and this value. Another one is built anew.
pub(super) const FORMAT: u32 = 1;

/// What is indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) format: u32,
    /// Every call that began before this is indexed, unless it is not over.
    pub(super) mark: Timestamp,
    /// How far a sweep is that was under way.
    pub(super) sweep: Option<Sweep>,
}

/// A walk over the calls of all businesses, from the newest to the mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sweep {
    /// Where it ends: the mark when it began.
    pub(super) back_to: Timestamp,
    /// The mark when it has ended.
    until: Timestamp,
    /// The business whose calls are read.
    pub(super) tenant: Option<TenantId>,
    /// The last of its calls that was read.
    pub(super) calls_after: Option<Cursor>,
    /// The last business that was taken.
    pub(super) tenants_after: Option<Cursor>,
    /// There is no business after this one.
    pub(super) last: bool,
}

impl Sweep {
    /// A call that began then is not over: the mark may not pass it.
    pub(super) fn stop_before(&mut self, began: Timestamp) {
        self.until = self.until.min(began);
    }
}

impl Progress {
    /// Of an index that holds nothing.
    pub(super) const fn nothing() -> Self {
        Self { format: FORMAT, mark: Timestamp::MIN, sweep: None }
    }

    /// As it is written into a commit.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was written into a commit; `None` where it was not by this format.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|progress: &Self| progress.format == FORMAT)
    }

    /// Whether all calls have been looked at once.
    pub(super) fn is_complete(&self) -> bool {
        self.mark > Timestamp::MIN
    }

    /// Begins a sweep, if none is under way. Rows may come into the store `late` after their call began. A clock that
    /// was set back takes the mark back with it.
    pub(super) fn begin(&mut self, now: Timestamp, late: Duration) {
        let until = now.checked_sub(late).unwrap_or(Timestamp::MIN);
        self.mark = self.mark.min(until);
        let back_to = self.mark;
        self.sweep.get_or_insert(Sweep {
            back_to,
            until,
            tenant: None,
            calls_after: None,
            tenants_after: None,
            last: false,
        });
    }

    /// A call that began then is not indexed yet: no mark may pass it.
    pub(super) fn hold_back(&mut self, began: Timestamp) {
        self.mark = self.mark.min(began);
        if let Some(sweep) = &mut self.sweep {
            sweep.stop_before(began);
        }
    }

    /// The sweep has seen all calls.
    pub(super) fn finish(&mut self) {
        if let Some(sweep) = self.sweep.take() {
            self.mark = sweep.until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_secs(60);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn the_mark_moves_when_a_sweep_ends_and_stops_before_what_is_open() {
        let mut progress = Progress::nothing();
        progress.begin(at(1_000), LATE);
        assert!(!progress.is_complete());
        progress.finish();
        assert_eq!((progress.mark, progress.is_complete()), (at(940), true));
        progress.begin(at(2_000), LATE);
        progress.hold_back(at(1_500));
        progress.finish();
        assert_eq!(progress.mark, at(1_500));
        progress.hold_back(at(1_200));
        progress.begin(at(3_000), LATE);
        assert_eq!(progress.sweep.as_ref().map(|sweep| sweep.back_to), Some(at(1_200)));
    }

    #[test]
    fn a_clock_set_back_takes_the_mark_back() {
        let mut progress = Progress { mark: at(90_000), ..Progress::nothing() };
        progress.begin(at(1_000), LATE);
        assert_eq!(progress.mark, at(940));
    }

    #[test]
    fn another_format_is_not_read() {
        let mut progress = Progress::nothing();
        progress.begin(at(1_000), LATE);
        assert_eq!(Progress::from_text(&progress.to_text()), Some(progress.clone()));
        progress.format += 1;
        assert_eq!(Progress::from_text(&progress.to_text()), None);
        assert_eq!(Progress::from_text(""), None);
    }
}
