//! What is still to be told, call by call. A value: who tells it, and when, is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::types::{CallId, TenantId};

/// A state and its version.
pub(super) type State = (u64, Arc<[u8]>);

/// The calls of a node as the others should know them.
#[derive(Debug)]
pub(super) struct Pending {
    calls: BTreeMap<CallId, Call>,
    queue: VecDeque<CallId>,
    late: BTreeSet<CallId>,
    busy: usize,
    max: usize,
}

#[derive(Debug, Default)]
struct Call {
    tenant: TenantId,
    since: Option<Timestamp>,
    has_place: bool,
    over: bool,
    busy: bool,
    queued: bool,
    todo: Todo,
}

/// What is to be told of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Todo {
    /// It is in the directory.
    pub(super) list: bool,
    /// Its place is free.
    pub(super) leave: bool,
    /// Its newest state.
    pub(super) state: Option<State>,
    /// It is over.
    pub(super) remove: bool,
}

/// One call's turn to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) call: CallId,
    pub(super) tenant: TenantId,
    pub(super) since: Option<Timestamp>,
    pub(super) todo: Todo,
}

impl Todo {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Pending {
    /// At most `max` calls wait; of further ones nothing is told.
    pub(super) const fn new(max: usize) -> Self {
        Self { calls: BTreeMap::new(), queue: VecDeque::new(), late: BTreeSet::new(), busy: 0, max }
    }

    /// The call has a place. `false` where too many calls wait.
    pub(super) fn admitted(&mut self, call: CallId, tenant: &TenantId) -> bool {
        self.with(call, tenant, |known| known.has_place = true)
    }

    /// The call has begun.
    pub(super) fn began(&mut self, call: CallId, tenant: &TenantId, since: Timestamp) -> bool {
        self.with(call, tenant, |known| {
            if known.since.is_none() {
                known.since = Some(since);
                known.todo.list = true;
            }
        })
    }

    /// The call has a newer state.
    pub(super) fn state(&mut self, call: CallId, state: State) {
        self.change(call, |known| {
            if !known.over {
                known.todo.state = Some(state);
            }
        });
    }

    /// The call's place is free.
    pub(super) fn left(&mut self, call: CallId) {
        self.change(call, |known| known.todo.leave |= std::mem::take(&mut known.has_place));
    }

    /// The call is over.
    pub(super) fn ended(&mut self, call: CallId) {
        self.change(call, |known| {
            if !known.over {
                known.over = true;
                known.todo =
                    Todo { remove: known.since.is_some(), leave: known.todo.leave, ..Todo::default() };
            }
        });
    }

    /// The next call to be told of. [`Self::done`] must follow.
    pub(super) fn next(&mut self) -> Option<Work> {
        let call = self.queue.pop_front()?;
        let known = self.calls.get_mut(&call)?;
        (known.queued, known.busy) = (false, true);
        self.busy += 1;
        let todo = std::mem::take(&mut known.todo);
        Some(Work { call, tenant: known.tenant.clone(), since: known.since, todo })
    }

    /// A call was told of, but for what is `left`, which waits for the next refresh.
    pub(super) fn done(&mut self, call: CallId, left: Todo) {
        self.busy = self.busy.saturating_sub(1);
        let Some(known) = self.calls.get_mut(&call) else { return };
        known.busy = false;
        let news = !known.todo.is_empty();
        if !left.is_empty() {
            known.todo.list |= left.list && !known.over;
            known.todo.leave |= left.leave;
            known.todo.remove |= left.remove;
            if known.todo.state.is_none() && !known.over {
                known.todo.state = left.state;
            }
        }
        if news {
            self.enqueue(call);
        } else if !known.todo.is_empty() {
            self.late.insert(call);
        } else if known.over || (known.since.is_none() && !known.has_place) {
            self.calls.remove(&call);
        }
    }

    /// What could not be told is tried again; how many calls that are.
    pub(super) fn retry(&mut self) -> usize {
        let late = std::mem::take(&mut self.late);
        let count = late.len();
        late.into_iter().for_each(|call| self.enqueue(call));
        count
    }

    /// The calls that have places, by tenant.
    pub(super) fn places(&self) -> BTreeMap<TenantId, Vec<CallId>> {
        let mut by_tenant = BTreeMap::<TenantId, Vec<CallId>>::new();
        for (call, known) in self.calls.iter().filter(|(_, known)| known.has_place) {
            by_tenant.entry(known.tenant.clone()).or_default().push(*call);
        }
        by_tenant
    }

    /// The calls that go on, with their tenants and when they began.
    pub(super) fn listed(&self) -> Vec<(CallId, TenantId, Timestamp)> {
        let live = self.calls.iter().filter(|(_, known)| !known.over);
        live.filter_map(|(call, known)| Some((*call, known.tenant.clone(), known.since?))).collect()
    }

    pub(super) fn has_place(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|known| known.has_place)
    }

    pub(super) fn is_listed(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|known| !known.over && known.since.is_some())
    }

    /// How many calls wait to be told of.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len() + self.late.len()
    }

    /// Whether all is told that can be for now.
    pub(super) fn is_settled(&self) -> bool {
        self.queue.is_empty() && self.busy == 0
    }

    fn with(&mut self, call: CallId, tenant: &TenantId, change: impl FnOnce(&mut Call)) -> bool {
        if self.calls.len() >= self.max && !self.calls.contains_key(&call) && !self.forget_one() {
            return false;
        }
        self.calls.entry(call).or_insert_with(|| Call { tenant: tenant.clone(), ..Call::default() });
        self.change(call, change);
        true
    }

    /// Makes room by forgetting a call that is over and could not be told of: what the others know of it expires.
    fn forget_one(&mut self) -> bool {
        let over = |call: &&CallId| self.calls.get(*call).is_some_and(|known| known.over && !known.has_place);
        let Some(call) = self.late.iter().find(over).copied() else { return false };
        self.late.remove(&call);
        self.calls.remove(&call).is_some()
    }

    fn change(&mut self, call: CallId, change: impl FnOnce(&mut Call)) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        change(known);
        if known.todo.is_empty() {
            // One that never began is forgotten with its place.
            if !known.busy && !known.has_place && known.since.is_none() {
                self.calls.remove(&call);
                self.late.remove(&call);
            }
            return;
        }
        self.enqueue(call);
    }

    fn enqueue(&mut self, call: CallId) {
        let Some(known) = self.calls.get_mut(&call) else { return };
        if !known.busy && !known.queued && !known.todo.is_empty() {
            known.queued = true;
            self.late.remove(&call);
            self.queue.push_back(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(number: u8) -> CallId {
        CallId::new(uuid::Uuid::from_u128(number.into()))
    }

    fn tenant() -> TenantId {
        TenantId::new("barbers")
    }

    fn state(version: u64) -> State {
        (version, version.to_be_bytes().as_slice().into())
    }

    #[test]
    fn a_newer_state_replaces_the_one_that_waits() {
        let mut pending = Pending::new(10);
        pending.began(call(1), &tenant(), Timestamp::UNIX_EPOCH);
        pending.state(call(1), state(1));
        pending.state(call(1), state(2));
        let work = pending.next().expect("something to tell");
        assert_eq!(work.todo, Todo { list: true, state: Some(state(2)), ..Todo::default() });
        pending.state(call(1), state(3));
        assert_eq!(pending.next(), None, "one at a time");
        pending.done(call(1), Todo { state: Some(state(2)), ..Todo::default() });
        assert_eq!(pending.next().expect("the newer one").todo.state, Some(state(3)));
        pending.done(call(1), Todo { state: Some(state(3)), ..Todo::default() });
        assert_eq!((pending.next(), pending.waiting(), pending.is_settled()), (None, 1, true));
        assert_eq!(pending.retry(), 1);
        assert_eq!(pending.next().expect("again").todo.state, Some(state(3)));
    }

    #[test]
    fn what_is_over_is_forgotten_once_it_is_told() {
        let mut pending = Pending::new(10);
        pending.admitted(call(1), &tenant());
        pending.began(call(1), &tenant(), Timestamp::UNIX_EPOCH);
        pending.state(call(1), state(1));
        pending.left(call(1));
        pending.ended(call(1));
        pending.state(call(1), state(2));
        pending.ended(call(1));
        let work = pending.next().expect("something to tell");
        assert_eq!(work.todo, Todo { leave: true, remove: true, ..Todo::default() });
        pending.done(call(1), work.todo.clone());
        assert_eq!((pending.calls.len(), pending.retry()), (1, 1), "it could not be told");
        let again = pending.next().expect("again");
        assert_eq!(again.todo, work.todo);
        pending.done(call(1), Todo::default());
        assert!(pending.calls.is_empty());
        pending.ended(call(1));
        pending.left(call(1));
        assert!(pending.calls.is_empty() && pending.is_settled());
    }

    #[test]
    fn calls_that_are_over_and_can_t_be_told_make_room_for_others() {
        let mut pending = Pending::new(1);
        pending.began(call(1), &tenant(), Timestamp::UNIX_EPOCH);
        pending.ended(call(1));
        assert!(!pending.began(call(2), &tenant(), Timestamp::UNIX_EPOCH), "its turn comes yet");
        let work = pending.next().expect("something to tell");
        pending.done(call(1), work.todo);
        assert!(pending.began(call(2), &tenant(), Timestamp::UNIX_EPOCH));
        assert_eq!((pending.retry(), pending.next().map(|work| work.call)), (0, Some(call(2))));
        assert!(!pending.began(call(3), &tenant(), Timestamp::UNIX_EPOCH), "one that goes on stays");
    }

    #[test]
    fn a_call_that_was_admitted_and_never_began_leaves() {
        let mut pending = Pending::new(1);
        assert!(pending.admitted(call(1), &tenant()));
        assert!(!pending.admitted(call(2), &tenant()), "it is bounded");
        pending.left(call(1));
        pending.ended(call(1));
        assert_eq!(pending.next().expect("told").todo, Todo { leave: true, ..Todo::default() });
        pending.done(call(1), Todo::default());
        assert!(pending.calls.is_empty());
    }

    proptest! {
        /// Whatever happens and fails in whatever order: once all calls are over and all is told, nothing is left,
        /// and the last thing told of each call is its end.
        #[test]
        fn nothing_is_left_in_the_end(steps in prop::collection::vec((0_u8..7, 0_u8..4), 1..200)) {
            let mut pending = Pending::new(100);
            let (mut last, mut version, mut open) = (BTreeMap::new(), 0, Vec::<Work>::new());
            let finish = |pending: &mut Pending, last: &mut BTreeMap<CallId, Todo>, work: Work, fails: bool| {
                if fails {
                    pending.done(work.call, work.todo);
                } else {
                    last.insert(work.call, work.todo);
                    pending.done(work.call, Todo::default());
                }
            };
            for (what, number) in steps {
                version += 1;
                match what {
                    0 => drop(pending.admitted(call(number), &tenant())),
                    1 => drop(pending.began(call(number), &tenant(), Timestamp::UNIX_EPOCH)),
                    2 => pending.state(call(number), state(version)),
                    3 => pending.left(call(number)),
                    4 => open.extend(pending.next()),
                    5 => drop(pending.retry()),
                    _ => if !open.is_empty() {
                        let work = open.swap_remove(usize::from(number) % open.len());
                        finish(&mut pending, &mut last, work, number % 2 == 0);
                    },
                }
            }
            let began: Vec<_> = pending.listed().into_iter().map(|(call, _, _)| call).collect();
            for number in 0..4 {
                pending.left(call(number));
                pending.ended(call(number));
            }
            for work in open {
                finish(&mut pending, &mut last, work, false);
            }
            for _ in 0..3 {
                pending.retry();
                while let Some(work) = pending.next() {
                    finish(&mut pending, &mut last, work, false);
                }
            }
            prop_assert!(pending.calls.is_empty(), "{:?}", pending);
            prop_assert!(pending.is_settled() && pending.waiting() == 0);
            for call in began {
                prop_assert!(last[&call].remove, "{:?}", last);
            }
        }
    }
}
