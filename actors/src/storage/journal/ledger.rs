//! What waits in the journal, and what is to be written next.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::entry::{Entry, Lane};
use crate::types::CallId;

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The most writes.
    pub(super) rows_max: usize,
    /// Their most bytes.
    pub(super) bytes_max: u64,
    /// How old the oldest may be while further ones are taken.
    pub(super) age_max: SignedDuration,
}

/// Why a write is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// There are too many.
    Rows,
    /// They are too large.
    Bytes,
    /// The oldest is too old.
    Age,
}

impl Full {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Age => "age",
        }
    }
}

/// How far a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// On its way to the disk.
    Coming,
    /// On the disk, and not in the store.
    Kept,
    /// On its way to the store.
    Sent,
    /// In the store, and not yet marked so on the disk.
    Written,
}

#[derive(Debug)]
struct Waiting {
    entry: Arc<Entry>,
    at: Timestamp,
    bytes: u64,
    stage: Stage,
    /// Earlier ones of the lane that this one replaced: they are marked with it.
    replaced: Vec<u64>,
}

/// All that waits, by its number; numbers follow the order in which it came.
#[derive(Debug)]
pub(super) struct Ledger {
    bounds: Bounds,
    waiting: BTreeMap<u64, Waiting>,
    lanes: HashMap<Lane, VecDeque<u64>>,
    /// The first of each lane that is not in the store, where it is on the disk and not sent.
    ready: BTreeSet<u64>,
    /// Those in the store that are not marked so.
    written: BTreeSet<u64>,
    next: u64,
    bytes: u64,
    /// How often something was erased, and as of which time the file holds nothing of that.
    erasures: u64,
    clean_since: u64,
}

impl Ledger {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            waiting: BTreeMap::new(),
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            written: BTreeSet::new(),
            next: 0,
            bytes: 0,
            erasures: 0,
            clean_since: 0,
        }
    }

    /// Takes in what a file held; the bounds don't count.
    pub(super) fn restore(&mut self, number: u64, at: Timestamp, entry: Entry, bytes: u64) {
        let lane = entry.lane();
        self.insert(number, at, entry, bytes, Stage::Kept);
        self.look_at(&lane);
    }

    /// No write has a number below this.
    pub(super) fn start_at(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// The number that the next write gets.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Whether a write of this lane may go to the store directly.
    pub(super) fn is_free(&self, lane: &Lane) -> bool {
        !self.lanes.contains_key(lane)
    }

    /// Takes in a write under the next number.
    pub(super) fn admit(&mut self, now: Timestamp, entry: Entry, bytes: u64) -> Result<u64, Full> {
        if self.waiting.len() >= self.bounds.rows_max {
            return Err(Full::Rows);
        }
        if self.bytes.saturating_add(bytes) > self.bounds.bytes_max {
            return Err(Full::Bytes);
        }
        if self.oldest().is_some_and(|oldest| now.duration_since(oldest) > self.bounds.age_max) {
            return Err(Full::Age);
        }
        let number = self.next;
        self.insert(number, now, entry, bytes, Stage::Coming);
        Ok(number)
    }

    fn insert(&mut self, number: u64, at: Timestamp, entry: Entry, bytes: u64, stage: Stage) {
        let lane = self.lanes.entry(entry.lane()).or_default();
        lane.push_back(number);
        self.waiting
            .insert(number, Waiting { entry: Arc::new(entry), at, bytes, stage, replaced: Vec::new() });
        self.bytes += bytes;
        self.next = self.next.max(number + 1);
    }

    /// A write is on the disk. What it makes needless goes.
    pub(super) fn kept(&mut self, number: u64) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        if waiting.stage == Stage::Coming {
            waiting.stage = Stage::Kept;
        }
        let entry = Arc::clone(&waiting.entry);
        let name = entry.lane();
        let Some(lane) = self.lanes.get_mut(&name) else { return };
        let needless: Vec<u64> = lane
            .iter()
            .copied()
            .filter(|earlier| *earlier < number)
            .filter(|earlier| {
                self.waiting
                    .get(earlier)
                    .is_some_and(|earlier| earlier.stage == Stage::Kept && entry.replaces(&earlier.entry))
            })
            .collect();
        lane.retain(|number| !needless.contains(number));
        let mut replaced = Vec::new();
        for earlier in needless {
            if let Some(gone) = self.waiting.remove(&earlier) {
                self.bytes = self.bytes.saturating_sub(gone.bytes);
                self.ready.remove(&earlier);
                replaced.push(earlier);
                replaced.extend(gone.replaced);
            }
        }
        if let Some(waiting) = self.waiting.get_mut(&number) {
            waiting.replaced.extend(replaced);
        }
        self.look_at(&name);
    }

    /// Finds what of a lane may be sent.
    fn look_at(&mut self, lane: &Lane) {
        let numbers = self.lanes.get(lane).map(VecDeque::iter).unwrap_or_default();
        for number in numbers {
            match self.waiting.get(number).map(|waiting| waiting.stage) {
                Some(Stage::Written) | None => {}
                Some(Stage::Kept) => {
                    self.ready.insert(*number);
                    return;
                }
                Some(Stage::Coming | Stage::Sent) => return,
            }
        }
    }

    /// A write did not reach the disk: whoever asked was told so.
    pub(super) fn withdraw(&mut self, number: u64) {
        self.forget(number);
    }

    /// At most `lanes_max` writes, the first of as many lanes, oldest first; they count as sent.
    pub(super) fn send(&mut self, lanes_max: usize) -> Vec<(u64, Arc<Entry>)> {
        let mut sent = Vec::new();
        while sent.len() < lanes_max.max(1) {
            let Some(number) = self.ready.pop_first() else { break };
            if let Some(waiting) = self.waiting.get_mut(&number) {
                waiting.stage = Stage::Sent;
                sent.push((number, Arc::clone(&waiting.entry)));
            }
        }
        sent
    }

    /// What became of a write that was sent: it is in the store (or never will be), or it is to be sent again.
    pub(super) fn answered(&mut self, number: u64, is_settled: bool) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        waiting.stage = if is_settled { Stage::Written } else { Stage::Kept };
        let lane = waiting.entry.lane();
        if is_settled {
            self.written.insert(number);
        }
        self.look_at(&lane);
    }

    /// The numbers to mark as done: of all that is in the store.
    pub(super) fn to_mark(&self) -> Vec<u64> {
        let mut numbers = Vec::with_capacity(self.written.len());
        for number in &self.written {
            numbers.extend(self.waiting.get(number).into_iter().flat_map(|waiting| &waiting.replaced));
            numbers.push(*number);
        }
        numbers
    }

    /// These are marked on the disk: their lanes are free where nothing else waits in them.
    pub(super) fn marked(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.forget(*number);
        }
    }

    fn forget(&mut self, number: u64) {
        let Some(gone) = self.waiting.remove(&number) else { return };
        self.bytes = self.bytes.saturating_sub(gone.bytes);
        self.ready.remove(&number);
        self.written.remove(&number);
        let lane = gone.entry.lane();
        if let Some(numbers) = self.lanes.get_mut(&lane) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.lanes.remove(&lane);
            }
        }
        self.look_at(&lane);
    }

    /// Whether all that waits is in the store, so that the file may be emptied in place of marking.
    pub(super) fn is_all_written(&self) -> bool {
        self.written.len() == self.waiting.len()
    }

    /// All that is not in the store, for a new file.
    pub(super) fn unwritten(&self) -> Vec<(u64, Timestamp, Arc<Entry>)> {
        let unwritten = self.waiting.iter().filter(|(_, waiting)| waiting.stage != Stage::Written);
        unwritten.map(|(number, waiting)| (*number, waiting.at, Arc::clone(&waiting.entry))).collect()
    }

    /// Takes these out: they are never made. None of them may be on its way to the store. The file has them until it
    /// is written anew.
    pub(super) fn erase(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.forget(*number);
        }
        self.erasures += 1;
    }

    /// Whether the file has something that was erased.
    pub(super) const fn is_stale(&self) -> bool {
        self.erasures != self.clean_since
    }

    /// Counts erasures: for [`Self::clean`].
    pub(super) const fn erasures(&self) -> u64 {
        self.erasures
    }

    /// The file was written anew after so many erasures.
    pub(super) fn clean(&mut self, erasures: u64) {
        self.clean_since = self.clean_since.max(erasures);
    }

    /// Takes in a write that takes others' place, whatever the bounds; it counts as on the disk.
    pub(super) fn put(&mut self, now: Timestamp, entry: Entry, bytes: u64) {
        let (number, lane) = (self.next, entry.lane());
        self.insert(number, now, entry, bytes, Stage::Kept);
        self.look_at(&lane);
    }

    /// Whether a call is erased, and the store is yet to be told.
    pub(super) fn is_erased(&self, call: CallId) -> bool {
        self.of(&Lane::Call(call)).any(|entry| matches!(entry, Entry::Erase { .. }))
    }

    /// The calls that are.
    pub(super) fn erased(&self) -> impl Iterator<Item = CallId> {
        self.all().filter_map(|entry| match entry {
            Entry::Erase { call, .. } => Some(*call),
            _ => None,
        })
    }

    /// All writes that wait with their numbers, in order.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u64, &Arc<Entry>)> {
        self.waiting.iter().map(|(number, waiting)| (*number, &waiting.entry))
    }

    /// The writes of a lane that wait, in order.
    pub(super) fn of<'l>(&'l self, lane: &Lane) -> impl DoubleEndedIterator<Item = &'l Entry> + use<'l> {
        let numbers = self.lanes.get(lane).map(|numbers| numbers.iter()).unwrap_or_default();
        numbers.filter_map(|number| self.waiting.get(number)).map(|waiting| &*waiting.entry)
    }

    /// All writes that wait, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.waiting.values().map(|waiting| &*waiting.entry)
    }

    /// How many wait.
    pub(super) fn rows(&self) -> usize {
        self.waiting.len()
    }

    /// Their bytes.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the oldest came.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CallId, CallTime};

    fn id(number: u32) -> CallId {
        CallId::new(uuid::Uuid::from_u128(u128::from(number)))
    }

    fn events(call: u32, seq: u32) -> Entry {
        let kind = crate::types::CallEventKind::Answered;
        let event = crate::types::CallEvent { seq, at: CallTime::START, kind };
        Entry::Events { call: id(call), events: vec![event] }
    }

    fn state(call: u32, byte: u8) -> Entry {
        Entry::Checkpoint { call: id(call), fence: None, state: vec![byte] }
    }

    fn ledger() -> Ledger {
        let age_max = SignedDuration::from_secs(100);
        Ledger::new(Bounds { rows_max: 6, bytes_max: 60, age_max })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn keep(ledger: &mut Ledger, entry: Entry) -> u64 {
        let number = ledger.admit(at(0), entry, 10).expect("room");
        ledger.kept(number);
        number
    }

    fn sent(ledger: &mut Ledger) -> Vec<u64> {
        ledger.send(9).into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn a_lane_is_written_in_order_and_freed_when_it_is_marked() {
        let mut ledger = ledger();
        let numbers = [events(1, 0), events(2, 0), events(1, 1)].map(|entry| keep(&mut ledger, entry));
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!(sent(&mut ledger), [0, 1], "the first of each");
        assert_eq!(sent(&mut ledger), [] as [u64; 0], "nothing overtakes what is under way");
        ledger.answered(0, true);
        ledger.answered(1, false);
        assert_eq!(sent(&mut ledger), [1, 2], "again, and the next");
        ledger.answered(1, true);
        ledger.answered(2, true);
        assert!(ledger.is_all_written() && !ledger.is_free(&Lane::Call(id(1))));
        assert_eq!(ledger.to_mark(), [0, 1, 2]);
        ledger.marked(&[0, 1]);
        assert!(ledger.is_free(&Lane::Call(id(2))) && !ledger.is_free(&Lane::Call(id(1))));
        ledger.marked(&[2]);
        assert_eq!((ledger.rows(), ledger.bytes(), ledger.oldest()), (0, 0, None));
        assert!(ledger.is_free(&Lane::Call(id(1))));
    }

    #[test]
    fn what_is_not_on_the_disk_is_not_sent() {
        let mut ledger = ledger();
        let first = ledger.admit(at(0), events(1, 0), 10).expect("room");
        let second = keep(&mut ledger, events(1, 1));
        assert_eq!(sent(&mut ledger), [] as [u64; 0], "nor what comes after it");
        ledger.withdraw(first);
        assert_eq!(sent(&mut ledger), [second]);
    }

    #[test]
    fn only_the_last_state_is_written_and_all_are_marked() {
        let mut ledger = ledger();
        for entry in [state(1, 1), events(1, 0), state(1, 2), state(2, 1)] {
            keep(&mut ledger, entry);
        }
        assert_eq!((ledger.rows(), ledger.bytes()), (3, 30));
        keep(&mut ledger, Entry::DropCheckpoint { call: id(1), fence: None });
        let of_one: Vec<&'static str> = ledger.of(&Lane::Call(id(1))).map(Entry::kind).collect();
        assert_eq!(of_one, ["events", "drop_checkpoint"]);
        for _ in 0..2 {
            for number in sent(&mut ledger) {
                ledger.answered(number, true);
            }
        }
        let mut marks = ledger.to_mark();
        marks.sort_unstable();
        assert_eq!(marks, [0, 1, 2, 3, 4], "those that were replaced, too");
    }

    #[test]
    fn bounds_are_kept() {
        let mut ledger = ledger();
        assert_eq!(ledger.admit(at(0), events(1, 0), 61), Err(Full::Bytes));
        let number = ledger.admit(at(0), events(1, 0), 55).expect("room");
        assert_eq!(ledger.admit(at(0), events(1, 1), 6), Err(Full::Bytes));
        assert_eq!(ledger.admit(at(101), events(1, 1), 1), Err(Full::Age));
        ledger.withdraw(number);
        for seq in 0..6 {
            ledger.admit(at(100), events(1, seq), 1).expect("room");
        }
        assert_eq!(ledger.admit(at(100), events(1, 9), 1), Err(Full::Rows));
        // A clock that went back keeps nobody out.
        let mut young = Ledger::new(Bounds { rows_max: 9, ..ledger.bounds });
        young.admit(at(500), events(1, 0), 1).expect("room");
        assert!(young.admit(at(0), events(1, 1), 1).is_ok());
    }
}
